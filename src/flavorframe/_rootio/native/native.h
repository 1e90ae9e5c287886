/* The compiled part of flavorframe: from the baskets of a TTree to flat arrays, and loops over the
 * lists of events.
 *
 *   module.c   the module: its functions, its state, and how it is initialised
 *   read.c     the baskets of a branch, one after the other: read, decompress, decode
 *   codecs.c   decompression
 *   entries.c  a basket's key, and its entries as arrays
 *   lists.c    indices of the elements of lists
 *   lookups.c  links to elements, and tables of known answers
 *
 * The loops run without Python's lock, so that threads work side by side. They use nothing that
 * another thread changes: what they need of the module comes as a pointer to const. Every access is
 * checked against the lengths of what is read and written; bytes that contradict each other are
 * reported as damage, in a sentence.
 */
#ifndef FLAVORFRAME_NATIVE_H
#define FLAVORFRAME_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "flavorframe's compiled part swaps the bytes of ROOT's big-endian numbers, so it works on \
little-endian machines only. Without it, uproot reads the files."
#endif

/* What is wrong with a file; `unusual` marks what is not wrong, but has to be read by uproot, and
 * `no_memory` a lack of memory, which is not the file's fault. */
typedef struct {
    int64_t basket;
    int unusual, no_memory;
    char text[200];
} Damage;

/* Note what is wrong, and return 0. */
int damaged(Damage *damage, const char *format, ...);
int out_of_memory(Damage *damage);

/* Functions of the decompression libraries that the system has; NULL where one is missing. */
enum { LIBRARIES = 4 };
typedef struct {
    void *libraries[LIBRARIES];
    void *(*zstd_create)(void);
    size_t (*zstd_free)(void *);
    size_t (*zstd_decompress)(void *, void *, size_t, const void *, size_t);
    unsigned (*zstd_is_error)(size_t);
    void *(*deflate_create)(void);
    void (*deflate_free)(void *);
    int (*deflate_decompress)(void *, const void *, size_t, void *, size_t, size_t *);
    int (*lz4_decompress)(const char *, char *, int, int);
    unsigned long long (*xxhash64)(const void *, size_t, unsigned long long);
} SystemCodecs;

void system_codecs_open(SystemCodecs *system);
void system_codecs_close(SystemCodecs *system);
/* A dictionary: whether zstd, zlib and lz4 are there. */
PyObject *system_codecs_found(const SystemCodecs *system);

/* What belongs to one module object. `found` and `none` do not change once the module is there;
 * `in_use` is one of the two, and is read with Python's lock, before the loops begin. */
typedef struct {
    SystemCodecs found, none;
    const SystemCodecs *in_use;
} ModuleState;

/* The decompressors of one call: contexts of the system's libraries, made when the first block needs
 * them, and a Python function for what the system has no library for. */
typedef struct {
    const SystemCodecs *system;
    void *zstd, *deflate;
    PyObject *fallback;
    PyThreadState **unlocked;
} Codecs;

void codecs_close(Codecs *codecs);

/* Whether the blocks of a basket hold `size` bytes, by what their headers say. */
int blocks_fit(const uint8_t *from, int64_t length, int64_t size, Damage *damage);

/* Decompress blocks that fit into `to`; return 0 for damage. */
int decompress(Codecs *codecs, const uint8_t *from, int64_t length, uint8_t *to, int64_t size,
               Damage *damage);

/* Decompress a single block, with its header, into `to`; return 0 for damage. */
int decompress_alone(Codecs *codecs, const uint8_t *block, int64_t length, uint8_t *to,
                     int64_t size, Damage *damage);

/* The numbers at the beginning of a basket; `border` is the end of its data, where the table of its
 * entries' beginnings follows. */
typedef struct {
    int64_t size, border, header, entries;
} Key;

int read_key(const uint8_t *bytes, int64_t length, int64_t expected, Key *key, Damage *damage);

/* How entries are stored. SCALARS: `length` numbers each. LISTS: numbers behind `header` bytes.
 * STRINGS: bytes as they are; an entry that repeats the one before is not written again. */
enum Kind { SCALARS, LISTS, STRINGS };

typedef struct {
    enum Kind kind;
    int64_t itemsize, length, header;
} Shape;

/* What has been decoded. `sizes` has the number of elements of each wanted entry; for STRINGS, the
 * number of its distinct list, whose end in `values` is in `ends`. */
typedef struct {
    PyObject *values; /* a bytearray, made longer when it is full */
    int64_t length;   /* of what is written in it, in bytes */
    int64_t *sizes, *ends;
    int64_t lists;
    PyThreadState **unlocked;
} Output;

/* Decode the entries `rows[i] - first` of a basket; return 0 where they contradict its data. */
int decode(const uint8_t *data, const Key *key, const int64_t *rows, int64_t count, int64_t first,
           Shape shape, Output *output, Damage *damage);

/* Whole numbers of 64 bits in an array. */
typedef struct {
    const int64_t *at;
    int64_t length;
} Numbers;

static inline Numbers numbers_in(const Py_buffer *array)
{
    return (Numbers){array->buf, array->len / 8};
}

/* Return None, or where arrays do not fit each other a ValueError. */
PyObject *none_if_fit(int fits);

/* The functions that Python calls; what they take is in module.c's table and in ../_native.pyi. */
PyObject *native_read(PyObject *module, PyObject *arguments);
PyObject *native_decompress(PyObject *module, PyObject *arguments);
PyObject *native_spread(PyObject *module, PyObject *arguments);
PyObject *native_ranges(PyObject *module, PyObject *arguments);
PyObject *native_places(PyObject *module, PyObject *arguments);
PyObject *native_first_match(PyObject *module, PyObject *arguments);
PyObject *native_best(PyObject *module, PyObject *arguments);
PyObject *native_sift(PyObject *module, PyObject *arguments);

#endif
