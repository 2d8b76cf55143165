#include "graph/architectures/design.h"

#include <charconv>
#include <string>
#include <utility>

#include "graph/architectures/parts.h"

namespace bittern::graph {
namespace {

constexpr float kClip = 1.25F;
constexpr BatchNorm kNorm{.epsilon = 1e-5F, .momentum = 0.9F};
// Before a sign a scale says nothing: it folds to a threshold per channel.
constexpr BatchNorm kThreshold{.epsilon = 1e-5F, .momentum = 0.9F, .scale = false};

// Levels of a blurred maximum behind a ReLU: up to 15.9, a sixteenth apart.
constexpr Int8Input kBehindRelu{.scale = 16.0F, .zero = 0};

struct Stem {
  bool quicknet = false;  // QuickNet's own, else one convolution ...
  int channels = 0;       // of QuickNet's first two
  bool pooled = false;    // ... behind a 2x2 mean
  bool int8 = false;
  Extent kernel{};
  Extent stride{};
};

struct Section {
  int channels = 0;
  int blocks = 0;
  Extent kernel{3, 3};
  Extent stride{2, 2};   // of the transition before it
  bool blurred = false;  // QuickNet's float transition, its pointwise convolution in so many ...
  int groups = 1;        // ... groups, 0: without it
  bool int8 = false;     // ... in int8
  bool prelu = true;
  bool norm = true;  // before each sign
};

struct Design {
  Stem stem;
  std::vector<Section> sections;
};

// Takes the design's text apart.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), rest_(text) {}

  Expected<Design> read() {
    Design design;
    if (!read_stem(design.stem)) return wrong();
    while (take('-')) {
      if (!read_section(design.sections.emplace_back())) return wrong();
    }
    if (!rest_.empty() || design.sections.empty()) return wrong();
    return design;
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool number(int& value) {
    const char* const end = rest_.data() + rest_.size();
    const auto [stop, error] = std::from_chars(rest_.data(), end, value);
    if (error != std::errc() || value < 1 || value > kMaxChannels) return false;
    rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
    return true;
  }
  bool extent(Extent& extent) { return number(extent.time) && take('x') && number(extent.frequency); }

  bool read_stem(Stem& stem) {
    if (take('q')) {
      stem.quicknet = true;
      return number(stem.channels);
    }
    stem.pooled = take('p');
    stem.int8 = take('i');
    return (stem.pooled || stem.int8 || take('c')) && extent(stem.kernel) && take('s') && extent(stem.stride);
  }
  bool read_section(Section& section) {
    if (!number(section.channels) || !take('x') || !number(section.blocks)) return false;
    if (take('k') && !extent(section.kernel)) return false;
    if (take('s') && !extent(section.stride)) return false;
    section.blurred = take('b');
    if (section.blurred && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9' &&
        !number(section.groups))
      return false;
    section.int8 = section.blurred && section.groups == 1 && take('i');
    if (!section.blurred && take('d')) {
      section.blurred = true;
      section.groups = 0;
    }
    section.prelu = !take('l');
    section.norm = !take('n');
    return true;
  }
  Error wrong() const {
    return invalid_argument("the network '" + std::string(text_) + "' cannot be read at '" +
                            std::string(rest_) +
                            "': write STEM-SECTION-..., such as p3x3s2x2-64x2-128x2 (docs/networks.md)");
  }

  std::string_view text_;
  std::string_view rest_;
};

int stem(Builder& builder, const Stem& stem, int channels) {
  if (!stem.quicknet) {
    int x = builder.input();
    if (stem.pooled) x = builder.add("stem.pool", AvgPool{}, {x});
    x = builder.add("stem.conv",
                    Conv2d{.kernel = stem.kernel,
                           .stride = stem.stride,
                           .out_channels = channels,
                           .initializer = Initializer::kHeNormal,
                           .int8 = stem.int8 ? std::optional(Int8Input{}) : std::nullopt},
                    {x});
    return builder.add("stem", kNorm, {x});
  }
  return add_quicknet_stem(builder, stem.channels, channels, kNorm);
}

// BN(bconv(BN(x))), or BN(ReLU(bconv(x))).
int convolved(Builder& builder, const std::string& name, int x, const Section& section, Extent stride) {
  if (section.norm) x = builder.add(name + ".threshold", kThreshold, {x});
  x = builder.add(name + ".conv",
                  BinaryConv2d{.kernel = section.kernel,
                               .stride = stride,
                               .pad_value = BinaryPadding::kOne,
                               .out_channels = section.channels,
                               .input_clip = kClip,
                               .kernel_clip = kClip},
                  {x});
  if (!section.norm) x = builder.add(name + ".relu", Relu{}, {x});
  return builder.add(name + ".bn", kNorm, {x});
}

int sum(Builder& builder, const std::string& name, int x, int y, const Section& section) {
  if (!section.prelu) return builder.add(name, Add{}, {x, y});
  x = builder.add(name + ".sum", Add{}, {x, y});
  return builder.add(name, Prelu{}, {x});
}

int block(Builder& builder, const std::string& name, int x, const Section& section) {
  return sum(builder, name, x, convolved(builder, name, x, section, {1, 1}), section);
}

// x twice where that makes `channels`.
int doubled(Builder& builder, const std::string& name, int x, int channels) {
  return channels == 2 * builder.shape(x).channels ? builder.add(name + ".twice", Concat{}, {x, x}) : x;
}

// mean(x) + BN(bconv(BN(x))), both strided; the mean twice where the channels are doubled.
int transition(Builder& builder, const std::string& name, int x, const Section& section) {
  if (section.blurred) {
    x = add_blur_pool(builder, name, x, section.stride);
    if (section.groups == 0) {
      x = doubled(builder, name, x, section.channels);
    } else {
      Conv2d pointwise{.out_channels = section.channels, .groups = section.groups};
      if (section.int8) pointwise.int8 = kBehindRelu;
      x = builder.add(name + ".conv", pointwise, {x});
    }
    return builder.add(name, kNorm, {x});
  }
  const int y = convolved(builder, name, x, section, section.stride);
  x = builder.add(name + ".mean", AvgPool{.kernel = section.stride, .stride = section.stride}, {x});
  x = doubled(builder, name, x, section.channels);
  return sum(builder, name, x, y, section);
}

int backbone(Builder& builder, const Design& design) {
  int x = stem(builder, design.stem, design.sections.front().channels);
  for (std::size_t s = 0; s < design.sections.size(); ++s) {
    const Section& section = design.sections[s];
    const int number = static_cast<int>(s) + 1;
    if (s > 0) x = transition(builder, "t" + std::to_string(number), x, section);
    for (int b = 1; b <= section.blocks; ++b) x = block(builder, block_name(number, b), x, section);
  }
  return x;
}

Design parse(std::string_view text) { return Reader(text).read().value(); }

// The ends of all sections.
std::vector<std::string> ends(const Design& design) {
  std::vector<std::string> layers;
  for (const Section& section : design.sections)
    layers.push_back(block_name(static_cast<int>(layers.size()) + 1, section.blocks));
  return layers;
}

}  // namespace

Status check_design(std::string_view design) {
  const auto read = Reader(design).read();
  return read.ok() ? Status() : Status(read.error());
}

int add_design(Builder& builder, std::string_view design) { return backbone(builder, parse(design)); }

void add_design_head(Builder& builder, int features, int classes) {
  add_float_head(builder, features, classes, false, Initializer::kGlorotNormal);
}

std::vector<Placement> design_placements(std::string_view design, std::span<const char* const> exits) {
  const Design read = parse(design);
  std::vector<std::string> with_stem = ends(read);
  with_stem.insert(with_stem.begin(), "stem");
  std::vector<std::string> usual(exits.begin(), exits.end());
  if (exits.empty()) {
    usual = ends(read);
    if (const int blocks = read.sections.back().blocks; blocks > 1)
      usual.insert(usual.end() - 1, block_name(static_cast<int>(read.sections.size()), (blocks + 1) / 2));
  }
  return {{"stem", with_stem}, {"paper", usual}, {"balanced", usual}};
}

}  // namespace bittern::graph
