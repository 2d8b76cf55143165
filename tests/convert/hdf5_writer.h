// HDF5 files as Keras writes them, or as an attacker would.
#pragma once

#include <gtest/gtest.h>
#include <hdf5.h>

#include <string>
#include <vector>

namespace bittern::test {

// One file, new or opened to be changed; closed at the end of its life. Paths begin at the root; groups on
// the way are made.
class Hdf5Writer {
 public:
  enum class Open { kNew, kExisting };
  using Sizes = std::vector<hsize_t>;

  explicit Hdf5Writer(const std::string& path, Open open = Open::kNew)
      : file_(open == Open::kNew ? H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)
                                 : H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT)),
        with_groups_(H5Pcreate(H5P_LINK_CREATE)) {
    EXPECT_GE(file_, 0) << path;
    H5Pset_create_intermediate_group(with_groups_, 1);
  }
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;
  ~Hdf5Writer() {
    H5Pclose(with_groups_);
    H5Fclose(file_);
  }

  hid_t file() const { return file_; }

  void group(const std::string& path) const {
    H5Gclose(H5Gcreate2(file_, path.c_str(), with_groups_, H5P_DEFAULT, H5P_DEFAULT));
  }
  void remove(const std::string& path) const { H5Ldelete(file_, path.c_str(), H5P_DEFAULT); }
  void hard_link(const std::string& to, const std::string& path) const {
    H5Lcreate_hard(file_, to.c_str(), file_, path.c_str(), with_groups_, H5P_DEFAULT);
  }
  void soft_link(const std::string& to, const std::string& path) const {
    H5Lcreate_soft(to.c_str(), file_, path.c_str(), with_groups_, H5P_DEFAULT);
  }
  void external_link(const std::string& other, const std::string& to, const std::string& path) const {
    H5Lcreate_external(other.c_str(), to.c_str(), file_, path.c_str(), with_groups_, H5P_DEFAULT);
  }

  // `values`: as many doubles as the sizes say, converted to `type`; empty: none are written. `properties`:
  // how they are stored.
  void dataset(const std::string& path, const Sizes& sizes, const std::vector<double>& values,
               hid_t type = H5T_IEEE_F32LE, hid_t properties = H5P_DEFAULT) const {
    const hid_t space = sizes.empty()
                            ? H5Screate(H5S_SCALAR)
                            : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr);
    const hid_t set = H5Dcreate2(file_, path.c_str(), type, space, with_groups_, properties, H5P_DEFAULT);
    EXPECT_GE(set, 0) << path;
    if (!values.empty()) {
      EXPECT_GE(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
    }
    H5Dclose(set);
    H5Sclose(space);
  }

  // Replaces the attribute `name` of the object at `path`.
  void names(const std::string& path, const std::string& name, const std::vector<std::string>& list) const {
    std::size_t longest = 1;
    for (const std::string& one : list) longest = std::max(longest, one.size());
    std::string bytes;
    for (const std::string& one : list) bytes += one + std::string(longest - one.size(), '\0');
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, longest);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    const hsize_t count = list.size();
    attribute(path, name, list.empty() ? H5T_IEEE_F64LE : type, {count}, bytes.data());
    H5Tclose(type);
  }
  // The same with strings of variable length; without sizes a single one.
  void variable_names(const std::string& path, const std::string& name, const std::vector<std::string>& list,
                      const Sizes& sizes) const {
    std::vector<const char*> pointers;
    for (const std::string& one : list) pointers.push_back(one.c_str());
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    attribute(path, name, type, sizes, pointers.data());
    H5Tclose(type);
  }
  void number(const std::string& path, const std::string& name, int value) const {
    attribute(path, name, H5T_NATIVE_INT, {}, &value);
  }

 private:
  void attribute(const std::string& path, const std::string& name, hid_t type, const Sizes& sizes,
                 const void* data) const {
    const hid_t object = H5Oopen(file_, path.c_str(), H5P_DEFAULT);
    ASSERT_GE(object, 0) << path;
    if (H5Aexists(object, name.c_str()) > 0) H5Adelete(object, name.c_str());
    const hid_t space = sizes.empty()
                            ? H5Screate(H5S_SCALAR)
                            : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr);
    const hid_t made = H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT);
    EXPECT_GE(made, 0) << name;
    if (H5Sget_simple_extent_npoints(space) > 0) {
      EXPECT_GE(H5Awrite(made, type, data), 0) << name;
    }
    H5Aclose(made);
    H5Sclose(space);
    H5Oclose(object);
  }

  hid_t file_;
  hid_t with_groups_;
};

}  // namespace bittern::test
