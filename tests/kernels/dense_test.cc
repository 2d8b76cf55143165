#include <gtest/gtest.h>

#include "support.h"

namespace bittern::kernels::testing {
namespace {

// Outputs with a guard either side.
struct Outputs {
  std::vector<float> memory;
  explicit Outputs(int classes) : memory(static_cast<std::size_t>(classes) + 2, guard_value<float>()) {}
  float* data() { return memory.data() + 1; }
  void expect(const std::vector<float>& expected) const {
    ASSERT_EQ(memory.front(), guard_value<float>());
    ASSERT_EQ(memory.back(), guard_value<float>());
    for (std::size_t j = 0; j < expected.size(); ++j) {
      ASSERT_EQ(bits_of(memory[j + 1]), bits_of(expected[j])) << "class " << j;
    }
  }
};

// A layer whose sums run in eight parts, but for its kernel.
struct Layer {
  int inputs, classes;
  std::vector<float> input, scale, bias;

  explicit Layer(Random& random)
      : inputs(random_channels(random) * between(random, 1, 3)),
        classes(between(random, 1, 40)),
        input(random_floats(random, inputs)),
        scale(random_floats(random, classes)),
        bias(random_floats(random, classes)) {}

  std::string name() const {
    return std::to_string(inputs) + " inputs, " + std::to_string(classes) + " classes";
  }

  // term(j, i): what input i adds to the sum of class j.
  template <class Term>
  std::vector<float> twin(const Term& term) const {
    std::vector<float> outputs;
    for (std::size_t j = 0; j < scale.size(); ++j) {
      float p[8] = {};
      for (std::size_t i = 0; i < input.size(); ++i) {
        const float product = term(j, i);
        p[i % 8] = p[i % 8] + product;
      }
      const float sum = ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
      const float product = sum * scale[j];
      outputs.push_back(product + bias[j]);
    }
    return outputs;
  }

  template <class Dense, class Element>
  void expect(Dense* KernelTable::*dense, const std::vector<Element>& kernel,
              const std::vector<float>& expected) const {
    for_isas([&](const KernelTable& table) {
      Outputs output(classes);
      (table.*dense)(input.data(), inputs, kernel.data(), scale.data(), bias.data(), classes, output.data());
      output.expect(expected);
    });
  }
};

TEST(Dense, BinaryEqualsItsTwin) {
  for_seeds(120, [](Random& random) {
    const Layer layer(random);
    SCOPED_TRACE(layer.name());
    const std::size_t inputs = layer.input.size();
    const auto words = static_cast<std::size_t>(words_for(layer.inputs));
    const std::vector<float> rows = random_floats(random, layer.inputs * layer.classes);
    std::vector<std::uint64_t> kernel(layer.scale.size() * words);
    for (std::size_t j = 0; j < layer.scale.size(); ++j)
      pack_row(rows.data() + j * inputs, layer.inputs, kernel.data() + j * words);
    layer.expect(&KernelTable::dense_binary, kernel, layer.twin([&](std::size_t j, std::size_t i) {
      return rows[j * inputs + i] < 0 ? -layer.input[i] : layer.input[i];
    }));
  });
}

TEST(Dense, Int8EqualsItsTwin) {
  for_seeds(120, [](Random& random) {
    const Layer layer(random);
    SCOPED_TRACE(layer.name());
    const std::size_t inputs = layer.input.size();
    std::vector<std::int8_t> kernel(inputs * layer.scale.size());
    for (std::int8_t& value : kernel) value = static_cast<std::int8_t>(between(random, -128, 127));
    layer.expect(&KernelTable::dense_int8, kernel, layer.twin([&](std::size_t j, std::size_t i) {
      return layer.input[i] * static_cast<float>(kernel[j * inputs + i]);
    }));
  });
}

TEST(Dense, FloatEqualsItsTwin) {
  for_seeds(120, [](Random& random) {
    const int inputs = random_channels(random);
    const int classes = between(random, 1, 40);
    SCOPED_TRACE(std::to_string(inputs) + " inputs, " + std::to_string(classes) + " classes");
    const std::vector<float> input = random_floats(random, inputs);
    const std::vector<float> kernel = random_floats(random, inputs * classes);
    const std::vector<float> bias = random_floats(random, classes);
    const bool with_bias = flip(random);
    std::vector<float> expected;
    for (std::size_t j = 0; j < static_cast<std::size_t>(classes); ++j) {
      float sum = 0;
      for (std::size_t i = 0; i < input.size(); ++i) {
        const float product = input[i] * kernel[i * static_cast<std::size_t>(classes) + j];
        sum = sum + product;
      }
      expected.push_back(with_bias ? sum + bias[j] : sum);
    }
    for_isas([&](const KernelTable& table) {
      Outputs output(classes);
      table.dense_float(input.data(), inputs, kernel.data(), with_bias ? bias.data() : nullptr, classes,
                        output.data());
      output.expect(expected);
    });
  });
}

}  // namespace
}  // namespace bittern::kernels::testing
