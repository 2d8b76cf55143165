// What the leak sanitizer is told about other people's libraries.

#define BITTERN_TEST_EXPORT __attribute__((visibility("default")))  // the sanitizer looks it up by name

// libsndfile 1.2.0 forgets Vorbis's state when it gives up on a damaged Ogg file while opening it.
extern "C" BITTERN_TEST_EXPORT const char* __lsan_default_suppressions();                   // NOLINT
extern "C" const char* __lsan_default_suppressions() { return "leak:vorbis_info_init\n"; }  // NOLINT
