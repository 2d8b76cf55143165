// What the leak sanitizer is told about other people's libraries.

// libsndfile 1.2.0 forgets Vorbis's state when it gives up on a damaged Ogg file while opening it.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:vorbis_info_init\n"; }  // NOLINT
