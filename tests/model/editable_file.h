// A model file as bytes that a test can damage, and seal again so that the damage gets past the checksum.
#pragma once

#include <algorithm>
#include <cstring>

#include "core/aligned.h"
#include "core/checksum.h"
#include "model/file.h"
#include "model/schema.h"

namespace bittern::model {

class EditableFile {
 public:
  explicit EditableFile(std::span<const std::byte> bytes) : memory_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), memory_.data());
    header_at_ =
        static_cast<std::size_t>(reinterpret_cast<const std::byte*>(root()->header()) - memory_.data());
  }
  explicit EditableFile(const Model& model) : EditableFile(serialize(model).value()) {}

  std::span<std::byte> bytes() { return memory_.span(); }
  std::size_t size() const { return memory_.size(); }
  const schema::Model* root() const { return schema::GetModel(memory_.data()); }

  // The header stays where it was in the undamaged file.
  schema::Header header() const {
    schema::Header header;
    std::memcpy(&header, memory_.data() + header_at_, sizeof(header));
    return header;
  }
  void set_header(const schema::Header& header) {
    std::memcpy(memory_.data() + header_at_, &header, sizeof(header));
  }
  void seal() {
    const schema::Header old = header();
    set_header({old.format_major(), old.format_minor(), old.file_bytes(), 0});
    set_header({old.format_major(), old.format_minor(), old.file_bytes(), checksum(memory_.span())});
  }

  // Overwrites a field of a table, a struct or an element of a vector.
  template <class T, class Generated>
  static void set_field(const Generated* table, flatbuffers::voffset_t field, T value) {
    auto* address =
        const_cast<std::uint8_t*>(reinterpret_cast<const flatbuffers::Table*>(table)->GetAddressOf(field));
    std::memcpy(address, &value, sizeof(value));
  }
  template <class T, class Place>
  static void set(const Place* place, T value) {
    std::memcpy(const_cast<void*>(static_cast<const void*>(place)), &value, sizeof(value));
  }

 private:
  AlignedBuffer<std::byte> memory_;
  std::size_t header_at_ = 0;
};

}  // namespace bittern::model
