// Files that are not what Keras writes: each is answered with what is wrong, where.
#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/stat.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "audio/temp_folder.h"
#include "convert/hdf5_writer.h"
#include "convert/keras_file.h"
#include "convert/keras_hdf5.h"

namespace bittern::convert {
namespace {

using test::Hdf5Writer;

const std::string kKernel = "/dense/dense/kernel:0";
const std::vector<double> kSix{1, -2, 3, -4, 5, -6};

class HostileKerasFile : public testing::Test {
 protected:
  HostileKerasFile() {
    // This process makes such files itself; what HDF5 thinks of them is not to be printed.
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }

  // A layer "dense" with one kernel of 2x3, all as Keras writes it.
  void write_good() const {
    const Hdf5Writer file(path_);
    file.group("/dense");
    file.names("/", "layer_names", {"dense"});
    file.names("/dense", "weight_names", {"dense/kernel:0"});
    file.dataset(kKernel, {2, 3}, kSix);
  }

  Expected<KerasFile> read_changed(const std::function<void(const Hdf5Writer&)>& change) const {
    write_good();
    {
      const Hdf5Writer file(path_, Hdf5Writer::Open::kExisting);
      change(file);
    }
    return read_keras_file(path_);
  }

  // The good file with `change` is refused, with one line that says `what`.
  void expect_refused(const std::function<void(const Hdf5Writer&)>& change, const std::string& what) const {
    const auto read = read_changed(change);
    ASSERT_FALSE(read.ok()) << what;
    EXPECT_TRUE(read.error().message.starts_with(path_ + ": ")) << read.error().message;
    EXPECT_NE(read.error().message.find(what), std::string::npos) << read.error().message;
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
  }

  // The kernel replaced.
  void expect_kernel_refused(const Hdf5Writer::Sizes& sizes, const std::vector<double>& values, hid_t type,
                             hid_t properties, const std::string& what) const {
    expect_refused(
        [&](const Hdf5Writer& file) {
          file.remove(kKernel);
          file.dataset(kKernel, sizes, values, type, properties);
        },
        what);
  }

  const test::TempFolder folder_;
  const std::string path_ = (folder_ / "x.h5").string();
};

void expect_good(const Expected<KerasFile>& read) {
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->layers.size(), 1U);
  ASSERT_EQ(read->layers[0].weights.size(), 1U);
  const KerasWeight& kernel = read->layers[0].weights[0];
  EXPECT_EQ(kernel.name, "kernel");
  EXPECT_EQ(kernel.shape, (std::vector<int>{2, 3}));
  EXPECT_EQ(kernel.values, std::vector<float>(kSix.begin(), kSix.end()));
}

TEST_F(HostileKerasFile, GoodOnesAreRead) {
  write_good();
  expect_good(read_keras_file(path_));
  EXPECT_EQ(read_keras_file(path_)->config, "");
}

TEST_F(HostileKerasFile, SoAreTheOtherWaysToWriteTheSame) {
  for (const hid_t type : {H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE}) {
    expect_good(read_changed([&](const Hdf5Writer& file) {
      file.remove(kKernel);
      file.dataset(kKernel, {2, 3}, kSix, type);
    }));
  }
  expect_good(read_changed([](const Hdf5Writer& file) {
    file.variable_names("/", "layer_names", {"dense"}, {1});
    file.variable_names("/dense", "weight_names", {"dense/kernel:0"}, {1});
  }));
  // A list cut in parts, and a layer without weights.
  const auto parts = read_changed([](const Hdf5Writer& file) {
    H5Adelete_by_name(file.file(), "/", "layer_names", H5P_DEFAULT);
    file.names("/", "layer_names0", {"input"});
    file.names("/", "layer_names1", {"dense"});
    file.group("/input");
    file.names("/input", "weight_names", {});
  });
  ASSERT_TRUE(parts.ok()) << parts.error().message;
  ASSERT_EQ(parts->layers.size(), 2U);
  EXPECT_TRUE(parts->layers[0].weights.empty());
  EXPECT_EQ(parts->layers[1].name, "dense");
}

TEST_F(HostileKerasFile, AWholeModelBringsItsConfig) {
  const auto whole = [&](const std::function<void(const Hdf5Writer&)>& change) {
    {
      const Hdf5Writer file(path_);
      file.group("/model_weights/dense");
      file.names("/model_weights", "layer_names", {"dense"});
      file.names("/model_weights/dense", "weight_names", {"dense/kernel:0"});
      file.dataset("/model_weights" + kKernel, {2, 3}, kSix);
      change(file);
    }
    return read_keras_file(path_);
  };
  const auto read =
      whole([](const Hdf5Writer& file) { file.variable_names("/", "model_config", {"{}"}, {}); });
  expect_good(read);
  EXPECT_EQ(read->config, "{}");
  const std::string too_long(kMaxKerasConfigBytes + 1, ' ');
  for (const auto& change : std::vector<std::function<void(const Hdf5Writer&)>>{
           [](const Hdf5Writer& file) { file.number("/", "model_config", 7); },
           [](const Hdf5Writer& file) {
             file.names("/", "model_config", {"{}", "{}"});
           },
           [](const Hdf5Writer& file) { file.variable_names("/", "model_config", {""}, {}); },
           [&](const Hdf5Writer& file) { file.variable_names("/", "model_config", {too_long}, {}); }}) {
    const auto wrong = whole(change);
    ASSERT_FALSE(wrong.ok());
    EXPECT_NE(wrong.error().message.find("model_config is no text"), std::string::npos)
        << wrong.error().message;
  }
}

TEST_F(HostileKerasFile, NumbersOfOtherTypes) {
  expect_kernel_refused({2, 3}, kSix, H5T_STD_I32LE, H5P_DEFAULT, "layer dense: dense/kernel:0: ");
  expect_kernel_refused({2, 3}, kSix, H5T_STD_I32LE, H5P_DEFAULT, "not float32 or float64");
  const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  expect_kernel_refused({2, 3}, kSix, half, H5P_DEFAULT, "not float32 or float64");
  H5Tclose(half);
}

TEST_F(HostileKerasFile, NumbersThatAreNotFinite) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), infinity, -infinity})
    expect_kernel_refused({2, 3}, {1, 2, bad, 4, 5, 6}, H5T_IEEE_F32LE, H5P_DEFAULT, "not finite");
  expect_kernel_refused({2, 3}, {1, 2, 1e300, 4, 5, 6}, H5T_IEEE_F64LE, H5P_DEFAULT, "not finite");
}

TEST_F(HostileKerasFile, SizesThatNoWeightHas) {
  expect_kernel_refused({}, {1}, H5T_IEEE_F32LE, H5P_DEFAULT, "0 dimensions");
  expect_kernel_refused({1, 1, 1, 1, 1}, {1}, H5T_IEEE_F32LE, H5P_DEFAULT, "5 dimensions");
  expect_kernel_refused({2, 0}, {}, H5T_IEEE_F32LE, H5P_DEFAULT, "no numbers");
  // Claims that would take terabytes, and products that do not fit in 64 bits.
  constexpr hsize_t kHuge = hsize_t{1} << 40U;
  expect_kernel_refused({kHuge}, {}, H5T_IEEE_F32LE, H5P_DEFAULT, "more than 67108864 numbers");
  expect_kernel_refused({1 << 20, 1 << 20, 1 << 10}, {}, H5T_IEEE_F32LE, H5P_DEFAULT,
                        "more than 67108864 numbers");
}

TEST_F(HostileKerasFile, NumbersThatWereNeverWritten) {
  expect_kernel_refused({1 << 12, 1 << 12}, {}, H5T_IEEE_F32LE, H5P_DEFAULT, "not all of the numbers");
}

TEST_F(HostileKerasFile, NumbersStoredInOtherWays) {
  const auto expect = [&](const std::function<void(hid_t)>& set, const std::vector<double>& values,
                          const std::string& what) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    set(properties);
    expect_kernel_refused({2, 3}, values, H5T_IEEE_F32LE, properties, what);
    H5Pclose(properties);
  };
  const std::vector<hsize_t> chunk{1, 3};
  expect([&](hid_t p) { H5Pset_chunk(p, 2, chunk.data()); }, kSix, "not in one piece");
  expect([](hid_t p) { H5Pset_layout(p, H5D_COMPACT); }, kSix, "not in one piece");
  if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) {
    expect(
        [&](hid_t p) {
          H5Pset_chunk(p, 2, chunk.data());
          H5Pset_deflate(p, 9);
        },
        kSix, "not in one piece and uncompressed");
  }
  // A file beside it that holds numbers of somebody else.
  const std::string other = (folder_ / "other").string();
  test::write_bytes(other, std::string(24, '\1'));
  expect([&](hid_t p) { H5Pset_external(p, other.c_str(), 0, 24); }, {}, "in another file");
  expect(
      [&](hid_t p) {
        const std::vector<hsize_t> sizes{2, 3};
        const hid_t space = H5Screate_simple(2, sizes.data(), nullptr);
        H5Pset_virtual(p, space, other.c_str(), "/x", space);
        H5Sclose(space);
      },
      {}, "in another file");
}

TEST_F(HostileKerasFile, LinksThatLeadAway) {
  const std::string other = (folder_ / "other.h5").string();
  {
    const Hdf5Writer file(other);
    file.dataset("/kernel", {2, 3}, kSix);
    file.group("/dense");
    file.names("/dense", "weight_names", {});
  }
  expect_refused(
      [&](const Hdf5Writer& file) {
        file.remove(kKernel);
        file.external_link(other, "/kernel", kKernel);
      },
      "layer dense lacks its weight dense/kernel:0");
  expect_refused(
      [&](const Hdf5Writer& file) {
        file.remove("/dense");
        file.external_link(other, "/dense", "/dense");
      },
      "layer dense is listed, but not there");
  expect_refused(
      [](const Hdf5Writer& file) {
        file.dataset("/kernel", {2, 3}, kSix);
        file.remove(kKernel);
        file.soft_link("/kernel", kKernel);
      },
      "lacks its weight");
  expect_refused([](const Hdf5Writer& file) { file.soft_link("/", "/model_weights"); },
                 "model_weights is no group");
  expect_refused([](const Hdf5Writer& file) { file.soft_link("/model_weights", "/model_weights"); },
                 "model_weights is no group");
}

TEST_F(HostileKerasFile, GroupsThatContainThemselves) {
  const auto read = read_changed([](const Hdf5Writer& file) {
    file.hard_link("/dense", "/dense/again");
    file.hard_link("/", "/dense/root");
    file.names("/", "layer_names", {"dense/again/again/again"});
  });
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->layers[0].weights[0].values.size(), 6U);
  std::string deep = "dense";
  while (deep.size() <= kMaxKerasNameBytes) deep += "/again";
  expect_refused(
      [&](const Hdf5Writer& file) {
        file.hard_link("/dense", "/dense/again");
        file.names("/", "layer_names", {deep});
      },
      "layer_names is no list");
  expect_refused(
      [](const Hdf5Writer& file) {
        file.hard_link("/", "/model_weights");
        H5Adelete_by_name(file.file(), "/", "layer_names", H5P_DEFAULT);
      },
      "no list layer_names");
}

TEST_F(HostileKerasFile, ListsThatAreNone) {
  expect_refused([](const Hdf5Writer& file) { file.number("/", "layer_names", 3); },
                 "layer_names is no list");
  expect_refused([](const Hdf5Writer& file) { file.number("/dense", "weight_names", 3); },
                 "layer dense: weight_names is no list");
  expect_refused([](const Hdf5Writer& file) { file.names("/", "layer_names", {}); }, "no layers of Keras 2");
  expect_refused(
      [](const Hdf5Writer& file) { H5Adelete_by_name(file.file(), "/", "layer_names", H5P_DEFAULT); },
      "no layers of Keras 2");
  expect_refused(
      [](const Hdf5Writer& file) { H5Adelete_by_name(file.file(), "/dense", "weight_names", H5P_DEFAULT); },
      "layer dense lacks its list weight_names");
  expect_refused(
      [](const Hdf5Writer& file) {
        file.names("/dense", "weight_names", {"dense/kernel:0", std::string(kMaxKerasNameBytes + 1, 'x')});
      },
      "weight_names is no list");
  expect_refused(
      [](const Hdf5Writer& file) {
        H5Adelete_by_name(file.file(), "/", "layer_names", H5P_DEFAULT);
        for (int part = 0; part < 3; ++part)
          file.names("/", "layer_names" + std::to_string(part),
                     std::vector<std::string>(kMaxKerasLayers / 2, "dense"));
      },
      "layer_names has more than 8192 names");
  expect_refused(
      [](const Hdf5Writer& file) {
        file.names("/dense", "weight_names",
                   std::vector<std::string>(kMaxKerasWeights + 1, "dense/kernel:0"));
      },
      "weight_names is no list");
}

TEST_F(HostileKerasFile, NamesOfWhatIsNotThere) {
  expect_refused(
      [](const Hdf5Writer& file) {
        file.names("/", "layer_names", {"dense", "none"});
      },
      "layer none is listed, but not there");
  expect_refused(
      [](const Hdf5Writer& file) {
        file.names("/", "layer_names", {"dense", ""});
      },
      "is listed, but not there");
  expect_refused([](const Hdf5Writer& file) { file.names("/", "layer_names", {"../x"}); },
                 "is listed, but not there");
  expect_refused(
      [](const Hdf5Writer& file) {
        file.names("/", "layer_names", {"dense", "dense"});
      },
      "layer dense is there twice");
  expect_refused(
      [](const Hdf5Writer& file) {
        file.names("/dense", "weight_names", {"dense/kernel:0", "dense/bias:0"});
      },
      "layer dense lacks its weight dense/bias:0");
  expect_refused([](const Hdf5Writer& file) { file.names("/dense", "weight_names", {"dense"}); },
                 "layer dense lacks its weight dense");  // a group
  expect_refused(
      [](const Hdf5Writer& file) {
        file.names("/dense", "weight_names", {"dense/kernel:0", "inner/kernel:0"});
        file.dataset("/dense/inner/kernel:0", {1}, {1});
      },
      "is a model of its own");
  expect_refused(
      [](const Hdf5Writer& file) {
        file.remove("/dense");
        file.dataset("/dense", {1}, {1});
      },
      "layer dense lacks its list weight_names");
}

TEST_F(HostileKerasFile, FilesOfAnotherKind) {
  const auto refused = [&](const std::string& what) {
    const auto read = read_keras_file(path_);
    ASSERT_FALSE(read.ok());
    EXPECT_NE(read.error().message.find(what), std::string::npos) << read.error().message;
  };
  refused("no such file");
  for (const std::string& bytes : {std::string(), std::string("no HDF5"), std::string(4096, '\0')}) {
    test::write_bytes(path_, bytes);
    refused("not an HDF5 file");
  }
  write_good();
  const std::string good = test::read_bytes(path_);
  test::write_bytes(path_, good.substr(0, 100));
  refused("damaged or cut short");
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  refused("is a folder");
  std::filesystem::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  refused("no regular file");
}

// Every cut of a small file.
TEST_F(HostileKerasFile, FilesThatAreCut) {
  write_good();
  const std::string good = test::read_bytes(path_);
  for (std::size_t size = 0; size < good.size(); size += 1 + good.size() / 64) {
    test::write_bytes(path_, good.substr(0, size));
    const auto read = read_keras_file(path_);
    ASSERT_FALSE(read.ok()) << size;
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos) << read.error().message;
  }
}

}  // namespace
}  // namespace bittern::convert
