// How many threads torch and the libraries under it work with.
#pragma once

namespace bittern::training {

void set_threads(int threads);

}  // namespace bittern::training
