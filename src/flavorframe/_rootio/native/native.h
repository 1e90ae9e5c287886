/* The compiled part of the columnar engine: from baskets in a file to flat arrays.
 *
 * It works without Python's lock, so that threads read side by side. Every access is checked against
 * the lengths of what it reads and writes; what contradicts itself is damage, told in a sentence.
 */
#ifndef FLAVORFRAME_NATIVE_H
#define FLAVORFRAME_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

/* What is wrong with a file; `unusual` marks what is not wrong, but is left to another reader, and
 * `no_memory` what is not the file's fault. */
typedef struct {
    int64_t basket;
    int unusual, no_memory;
    char text[200];
} Damage;

int damaged(Damage *damage, const char *format, ...);
int out_of_memory(Damage *damage);

/* Decompressors: the system's libraries, which need no lock, or a Python function for the others. */
typedef struct {
    void *zstd, *deflate;
    PyObject *fallback;
    PyThreadState **unlocked;
} Codecs;

void codecs_load(int system);
PyObject *codecs_names(void);
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

/* How entries are stored. SCALARS: one number each. LISTS: numbers behind `header` bytes.
 * NAMES: bytes as they are; an entry that repeats the one before is not written again. */
enum Kind { SCALARS, LISTS, NAMES };

typedef struct {
    enum Kind kind;
    int64_t itemsize, header;
} Shape;

/* What has been decoded. `sizes` has the number of elements of each wanted entry; for NAMES, the
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
PyObject *told(int fits);

/* spread(counts, out), ranges(starts, counts, out), places(known, wanted, out),
 * first_match(kinds, arrays, starts, counts, found, number), best(values, first, largest, out) and
 * sift(tables, cuts, joined, alive, rows). */
PyObject *segments_spread(PyObject *self, PyObject *arguments);
PyObject *segments_ranges(PyObject *self, PyObject *arguments);
PyObject *segments_places(PyObject *self, PyObject *arguments);
PyObject *segments_first_match(PyObject *self, PyObject *arguments);
PyObject *segments_best(PyObject *self, PyObject *arguments);
PyObject *segments_sift(PyObject *self, PyObject *arguments);

#endif
