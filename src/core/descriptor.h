// An open file descriptor that is closed when its owner goes.
#pragma once

#include <unistd.h>

#include <utility>

namespace bittern {

class Descriptor {
 public:
  // Takes the descriptor over; negative: none, as open() and its like return it on an error.
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { static_cast<void>(close()); }

  int number() const { return number_; }
  bool open() const { return number_ >= 0; }
  void reset(int number) {
    static_cast<void>(close());
    number_ = number;
  }
  // False and errno where the system could not write what it held back; closed all the same.
  bool close() {
    const int number = std::exchange(number_, -1);
    return number < 0 || ::close(number) == 0;
  }

 private:
  int number_;
};

}  // namespace bittern
