/* clang-format off */
/* Bittern's C API: audio classification by binary networks with early exits.
 *
 *     bittern_model* model = NULL;
 *     bittern_session* session = NULL;
 *     const bittern_result* result = NULL;
 *     char error[256];
 *     if (bittern_open("words.bittern", &model, error, sizeof(error)) == BITTERN_OK &&
 *         bittern_session_open(model, NULL, &session, error, sizeof(error)) == BITTERN_OK &&
 *         bittern_classify(session, samples, count, &result) == BITTERN_OK) {
 *       puts(bittern_get_info(model)->labels[result->label]);
 *     }
 *     bittern_session_close(session);
 *     bittern_close(model);
 *
 * Conventions
 * - Handles are opaque. bittern_open, bittern_open_memory, bittern_session_open and bittern_batch_open make
 *   them, the matching close frees them and accepts NULL. Every other pointer that the library returns belongs to a handle, and
 *   the caller frees none.
 * - Functions that can fail return a bittern_status, and set what they give only when it is BITTERN_OK. One
 *   line about a failure goes to `error`, a buffer of `error_size` bytes of the caller's (NULL and 0: not
 *   wanted; a longer text is cut); that of a call on a session is kept for bittern_session_error().
 * - Text is UTF-8 and ends in a zero byte.
 * - Samples are mono floats at the model's sample rate, full scale -1 to 1.
 * - The library never prints, exits, throws, or keeps state outside of handles.
 *
 * Threads
 *   A model never changes: any number of threads may use it at once, until it is closed. A session serves one
 *   thread at a time; open one per thread, or let a batch do that. Nothing but a batch starts threads.
 *
 * Trust
 *   A model may come from anyone: it is verified before anything of it is used. Pointers and sizes that the
 *   caller passes are believed.
 */
/* clang-format on */
#ifndef BITTERN_BITTERN_H_
#define BITTERN_BITTERN_H_

/* Names as C has them. NOLINTBEGIN(readability-identifier-naming,modernize-*) */
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define BITTERN_API __attribute__((visibility("default")))
#else
#define BITTERN_API
#endif

#ifdef __cplusplus
#define BITTERN_NOEXCEPT noexcept
extern "C" {
#else
#define BITTERN_NOEXCEPT
#endif

typedef struct bittern_model bittern_model;
typedef struct bittern_session bittern_session;
typedef struct bittern_batch bittern_batch;

/* Every status that there is; the numbers stay. */
typedef enum bittern_status {
  BITTERN_OK = 0,
  /* The call makes no sense: a threshold that the rule refuses, no samples, a sample that is not a number. */
  BITTERN_INVALID_ARGUMENT = 1,
  /* No such file, rule or operating point. */
  BITTERN_NOT_FOUND = 2,
  /* Reading failed. */
  BITTERN_IO_ERROR = 3,
  /* Not a model, or a damaged one. */
  BITTERN_CORRUPT = 4,
  /* A model of a newer format, options of a newer header, or a model that carries no self-test. */
  BITTERN_UNSUPPORTED = 5,
  BITTERN_OUT_OF_MEMORY = 6,
  /* A mistake in the library: please report it. */
  BITTERN_INTERNAL = 7
} bittern_status;

/* What of a clip longer than the model's window is looked at. */
typedef enum bittern_segment {
  BITTERN_WHOLE = 0,  /* all of it */
  BITTERN_CENTRE = 1, /* the window in its middle */
  BITTERN_LOUDEST = 2 /* the window with the most energy */
} bittern_segment;

/* A setting of exit thresholds that a model carries; bittern_options.operating_point uses it by name. */
typedef struct bittern_operating_point {
  const char* name;
  const char* promise; /* what was promised of it when it was made, in words */
} bittern_operating_point;

/* What a model says about itself. Valid until the model is closed. Later versions may add fields at the end.
 */
typedef struct bittern_info {
  int sample_rate; /* Hz */
  /* The length that the model was trained on; a shorter clip is centred in silence. */
  size_t window_samples;
  int label_count;
  const char* const* labels; /* [label_count] */
  int exit_count;            /* exits count from 1 */
  const char* architecture;
  /* The version of model files that this library writes; it reads this and every older major one. */
  int format_major;
  int format_minor;
  int operating_point_count;
  const bittern_operating_point* operating_points; /* [operating_point_count] */
} bittern_info;

/* How a session answers. Start from BITTERN_OPTIONS_INIT, which is also what a NULL for the struct stands
 * for. */
typedef struct bittern_options {
  /* sizeof(bittern_options) of the header that the caller was compiled with. */
  size_t struct_size;
  /* When to stop: "entropy" (leave below, nats), "max-probability" or "margin" (leave at or above),
   * "patience" (leave where so many exits in a row agree). NULL: always at `exit`. */
  const char* rule;
  /* Of the rule, at every exit. */
  float threshold;
  /* NULL, or [exit_count]: one per exit, instead of `threshold`. */
  const float* thresholds;
  /* Where `rule` is NULL, the exit to leave at, from 1; 0: the last. */
  int exit;
  /* NULL, or the name of one in the model: its rule and thresholds, instead of all the above. */
  const char* operating_point;
  /* A bittern_segment. */
  int segment;
  /* NULL, or [label_count] of 0 and 1: only labels with a 1 are answered. Their probabilities add up to 1,
   * before the rule decides. */
  const unsigned char* only;
  /* NULL, or working memory of the caller's, at a multiple of 64 bytes, that outlives the session;
   * bittern_memory_needed() says how much. */
  void* memory;
  size_t memory_size;
} bittern_options;

#define BITTERN_OPTIONS_INIT \
  { sizeof(bittern_options), "entropy", 0.5f, NULL, 0, NULL, BITTERN_WHOLE, NULL, NULL, 0 }

/* What one exit answers. Belongs to the session and is valid until its next bittern_classify() or
 * bittern_classify_exits(). */
typedef struct bittern_result {
  int label; /* index into bittern_info.labels */
  int exit;  /* that gave the answer, from 1 */
  float probability;
  float entropy;              /* of the probabilities, in nats */
  const float* probabilities; /* [label_count] */
  /* Multiply-accumulates up to the exit, the exits' own and the front end left out, and their share of the
   * whole network's, counted as macs_binary / 64 + macs_float, of these four in int8 as one. */
  double macs_share;
  int64_t macs_binary;
  int64_t macs_float;
} bittern_result;

/* The library's version, such as "1.2.3". */
BITTERN_API const char* bittern_version(void) BITTERN_NOEXCEPT;

/* Opens a model file. The file is mapped: replace it by renaming another over it, never in place. */
BITTERN_API bittern_status bittern_open(const char* path, bittern_model** model, char* error,
                                        size_t error_size) BITTERN_NOEXCEPT;

/* The same from a file's bytes, at any address. They are copied and may go away after the call. */
BITTERN_API bittern_status bittern_open_memory(const void* bytes, size_t size, bittern_model** model,
                                               char* error, size_t error_size) BITTERN_NOEXCEPT;

/* Sessions that are open keep what they need of the model and work on. */
BITTERN_API void bittern_close(bittern_model* model) BITTERN_NOEXCEPT;

BITTERN_API const bittern_info* bittern_get_info(const bittern_model* model) BITTERN_NOEXCEPT;

/* Runs the check that the model carries: whether this machine computes, bit by bit, what the model's maker
 * computed. BITTERN_CORRUPT: it does not, and `error` names the first stage that differs. */
BITTERN_API bittern_status bittern_self_test(const bittern_model* model, char* error,
                                             size_t error_size) BITTERN_NOEXCEPT;

/* Bytes of working memory that a session needs for clips of `count` samples looked at as `segment` says, and
 * for the model's window. */
BITTERN_API bittern_status bittern_memory_needed(const bittern_model* model, size_t count, int segment,
                                                 size_t* bytes, char* error,
                                                 size_t error_size) BITTERN_NOEXCEPT;

/* options: or NULL for the defaults. What it points to, `memory` excepted, is copied. */
BITTERN_API bittern_status bittern_session_open(const bittern_model* model, const bittern_options* options,
                                                bittern_session** session, char* error,
                                                size_t error_size) BITTERN_NOEXCEPT;

BITTERN_API void bittern_session_close(bittern_session* session) BITTERN_NOEXCEPT;

/* Classifies a clip and stops at the exit that the session's rule chooses: nothing behind it is computed.
 * Clips as long as the model's window need no memory; another length is planned for at its first use, which
 * takes some hundred microseconds. The plans of the latest four such lengths are kept: where lengths are
 * many, cut or pad clips to a few, or let `segment` choose the window. */
BITTERN_API bittern_status bittern_classify(bittern_session* session, const float* samples, size_t count,
                                            const bittern_result** result) BITTERN_NOEXCEPT;

/* Runs the whole network on a clip, whatever the rule; bittern_exit_result() then has an answer for every
 * exit. */
BITTERN_API bittern_status bittern_classify_exits(bittern_session* session, const float* samples,
                                                  size_t count) BITTERN_NOEXCEPT;

/* What exit `exit`, from 1, said in the latest bittern_classify_exits(); NULL where the session's latest call
 * was another, or failed, or there is no such exit. */
BITTERN_API const bittern_result* bittern_exit_result(const bittern_session* session,
                                                      int exit) BITTERN_NOEXCEPT;

/* One line on the session's latest failed call; "" where none failed. Valid until the session's next
 * bittern_classify() or bittern_classify_exits(). */
BITTERN_API const char* bittern_session_error(const bittern_session* session) BITTERN_NOEXCEPT;

/* One clip of a batch. */
typedef struct bittern_clip {
  const float* samples;
  size_t count;
} bittern_clip;

/* Many clips on several cores: `threads` sessions (1 to 256) that share the work. Answers have the bits of a
 * session's whatever the number of threads. options: as for a session, without `memory`. Not in builds for
 * machines without threads (WebAssembly). */
BITTERN_API bittern_status bittern_batch_open(const bittern_model* model, const bittern_options* options,
                                              int threads, bittern_batch** batch, char* error,
                                              size_t error_size) BITTERN_NOEXCEPT;

BITTERN_API void bittern_batch_close(bittern_batch* batch) BITTERN_NOEXCEPT;

/* Classifies `clip_count` clips, each as bittern_classify() does, and sets *results to [clip_count], valid
 * until the batch's next call. Where clips fail, the others are still answered and *results is set: the
 * status is that of the first clip that failed, and failed ones have label -1 and no probabilities. */
BITTERN_API bittern_status bittern_batch_classify(bittern_batch* batch, const bittern_clip* clips,
                                                  size_t clip_count,
                                                  const bittern_result** results) BITTERN_NOEXCEPT;

/* One line on the batch's latest failed call, with the number of the clip, from 0; "" where none failed. */
BITTERN_API const char* bittern_batch_error(const bittern_batch* batch) BITTERN_NOEXCEPT;

#ifdef __cplusplus
}
#endif

/* NOLINTEND(readability-identifier-naming,modernize-*) */
#endif /* BITTERN_BITTERN_H_ */
