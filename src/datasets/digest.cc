#include <fmt/format.h>

#include <system_error>

#include "core/checksum.h"
#include "datasets/dataset.h"
#include "datasets/listing.h"

namespace bittern::datasets {

std::string Dataset::digest() const {
  // One line of text per fact, so that the digest is the same on every machine.
  Digest digest;
  const auto add = [&](const std::string& line) { digest.add(std::as_bytes(std::span(line))); };
  const auto size_of = [](const std::filesystem::path& path) -> std::uintmax_t {
    std::error_code reason;
    const std::uintmax_t size = std::filesystem::file_size(path, reason);
    return reason ? 0 : size;
  };
  for (const std::string& label : labels) add(fmt::format("label {}\n", label));
  for (const Clip& clip : clips)
    add(fmt::format("{} {} {} {:.6f} {:.6f} {}\n", datasets::name(clip.split), clip.label,
                    clip.path.empty() ? 0 : size_of(clip.path), clip.offset_seconds, clip.seconds,
                    clip.path.empty() ? "" : relative_name(clip.path, root)));
  for (const std::filesystem::path& path : noise)
    add(fmt::format("noise {} {}\n", size_of(path), relative_name(path, root)));
  return fmt::format("{:016x}", digest.value());
}

}  // namespace bittern::datasets
