// A model file as bytes that a test can damage, and seal again so that the damage gets past the checksum.
#pragma once

#include <algorithm>
#include <cstdint>
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

  // Overwrites what lies at a place inside the file: an element, a length, a field of a table.
  template <class T, class Place>
  void set(const Place* place, T value) {
    write(reinterpret_cast<const std::byte*>(place) - memory_.data(), std::as_bytes(std::span(&value, 1)));
  }
  template <class T, class Generated>
  void set_field(const Generated* table, flatbuffers::voffset_t field, T value) {
    set(reinterpret_cast<const flatbuffers::Table*>(table)->GetAddressOf(field), value);
  }

 private:
  // Not inlined: GCC 12 takes the neighbours of a FlatBuffers table, which has one byte, for out of its
  // bounds.
  [[gnu::noinline]] void write(std::ptrdiff_t at, std::span<const std::byte> bytes) {
    std::copy(bytes.begin(), bytes.end(), memory_.data() + at);
  }

  AlignedBuffer<std::byte> memory_;
  std::size_t header_at_ = 0;
};

}  // namespace bittern::model
