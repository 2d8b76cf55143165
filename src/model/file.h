// The .bittern file: FlatBuffers, identifier BTRN, described in docs/model-format.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "core/aligned.h"
#include "core/status.h"
#include "model/model.h"

namespace bittern::model {

inline constexpr int kFormatMajor = 3;
inline constexpr int kFormatMinor = 0;
inline constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20U;

// Maps the file and uses its tensors in place. Everything is verified first; the error says what is wrong.
Expected<std::shared_ptr<const Model>> open(const std::filesystem::path& path);

// The same from memory. `bytes` must be 64-byte aligned and outlive the model, or be kept alive by `owner`.
Expected<std::shared_ptr<const Model>> read(std::span<const std::byte> bytes,
                                            std::shared_ptr<const void> owner = nullptr);
// From memory of any alignment, which is copied.
Expected<std::shared_ptr<const Model>> read_copy(std::span<const std::byte> bytes);

// The same model gives the same bytes.
Expected<std::vector<std::byte>> serialize(const Model& model);
Status save(const Model& model, const std::filesystem::path& path);  // atomic

}  // namespace bittern::model
