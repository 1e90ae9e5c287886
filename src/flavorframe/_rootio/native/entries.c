/* From a decompressed basket to flat arrays; source of the format: ROOT's TKey and TBasket.
 *
 * ROOT writes numbers big-endian. Where entries vary in length, a table of their beginnings (32 bits
 * each, counted from the start of the key) stands behind the data. An entry that is a std::vector
 * begins with ten bytes: byte count, version, and its number of elements in the last four.
 */
#include "native.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { KEY_SIZE = 18, TAIL_SIZE = 19, VECTOR_HEADER = 10, VECTOR_COUNT = 6 };

int damaged(Damage *damage, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(damage->text, sizeof damage->text, format, arguments);
    va_end(arguments);
    return 0;
}

int out_of_memory(Damage *damage)
{
    damage->no_memory = 1;
    return 0;
}

static int64_t big_endian_16(const uint8_t *p)
{
    return (int16_t)((uint16_t)p[0] << 8 | p[1]);
}

static int64_t big_endian_32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, 4);
    return (int32_t)__builtin_bswap32(value);
}

int read_key(const uint8_t *bytes, int64_t length, int64_t expected, Key *key, Damage *damage)
{
    if (length < expected || expected < KEY_SIZE)
        return damaged(damage, "the file ends %lld bytes too early for it",
                       (long long)(expected - length));
    int64_t total = big_endian_32(bytes);
    key->size = (uint32_t)big_endian_32(bytes + 6);
    key->header = big_endian_16(bytes + 14);
    if (total != expected || key->header < KEY_SIZE + TAIL_SIZE || key->header > total)
        return damaged(damage, "its key says %lld bytes, and the tree %lld", (long long)total,
                       (long long)expected);
    const uint8_t *tail = bytes + key->header - TAIL_SIZE;
    key->entries = big_endian_32(tail + 10);
    key->border = big_endian_32(tail + 14) - key->header;
    if (key->border < 0 || key->border > key->size)
        return damaged(damage, "its data end at byte %lld of %lld", (long long)key->border,
                       (long long)key->size);
    return 1;
}

/* Copy n elements, from big-endian to the machine's order, which is little-endian.
 *
 * This and what calls it for each entry are compiled once for each size of element: a division by a
 * size that is not known costs more than all else that is done for an entry. */
static inline __attribute__((always_inline)) void copy_items(const uint8_t *from, int64_t n,
                                                             int64_t itemsize, uint8_t *to)
{
    if (itemsize == 8)
        for (int64_t k = 0; k < n; k++) {
            uint64_t value;
            memcpy(&value, from + 8 * k, 8);
            value = __builtin_bswap64(value);
            memcpy(to + 8 * k, &value, 8);
        }
    else if (itemsize == 4)
        for (int64_t k = 0; k < n; k++) {
            uint32_t value;
            memcpy(&value, from + 4 * k, 4);
            value = __builtin_bswap32(value);
            memcpy(to + 4 * k, &value, 4);
        }
    else if (itemsize == 2)
        for (int64_t k = 0; k < n; k++) {
            to[2 * k] = from[2 * k + 1];
            to[2 * k + 1] = from[2 * k];
        }
    else
        for (int64_t k = 0; k < n; k++)
            to[k] = from[k];
}

/* Return where the next bytes go, after making room for them; NULL where there is no memory. */
static uint8_t *room_for(Output *output, int64_t bytes, Damage *damage)
{
    int64_t room = PyByteArray_GET_SIZE(output->values);
    if (bytes > room - output->length) {
        PyEval_RestoreThread(*output->unlocked);
        int failed = PyByteArray_Resize(output->values, 2 * room + bytes);
        PyErr_Clear();
        *output->unlocked = PyEval_SaveThread();
        if (failed) {
            out_of_memory(damage);
            return NULL;
        }
    }
    return (uint8_t *)PyByteArray_AS_STRING(output->values) + output->length;
}

typedef struct {
    const uint8_t *data;
    const Key *key;
    const int64_t *rows;
    int64_t count, first;
} Wanted;

static inline __attribute__((always_inline)) int
scalars_of(int64_t itemsize, int64_t length, const Wanted *wanted, Output *output, Damage *damage)
{
    int64_t bytes = itemsize * length;
    uint8_t *to = room_for(output, wanted->count * bytes, damage);
    if (!to)
        return 0;
    for (int64_t i = 0; i < wanted->count; i++)
        copy_items(wanted->data + (wanted->rows[i] - wanted->first) * bytes, length, itemsize,
                   to + i * bytes);
    output->length += wanted->count * bytes;
    return 1;
}

/* Find an entry's elements; return their number of bytes, or −1 where it contradicts the data. */
static inline __attribute__((always_inline)) int64_t
locate(const uint8_t *data, const Key *key, int64_t entry, int64_t itemsize, int64_t header,
       int64_t *begin)
{
    const uint8_t *offsets = data + key->border + 4;
    int64_t end = entry + 1 == key->entries ? key->border
                                            : big_endian_32(offsets + 4 * (entry + 1)) - key->header;
    *begin = big_endian_32(offsets + 4 * entry) - key->header;
    int64_t bytes = end - *begin - header;
    if (*begin < 0 || end > key->border || bytes < 0 || bytes % itemsize != 0)
        return -1;
    if (header == VECTOR_HEADER
        && big_endian_32(data + *begin + VECTOR_COUNT) != bytes / itemsize)
        return -1;
    *begin += header;
    return bytes;
}

static int misfit(int64_t entry, Damage *damage)
{
    return damaged(damage, "its entry %lld does not fit its data", (long long)entry);
}

static inline __attribute__((always_inline)) int
lists_of(int64_t itemsize, const Wanted *wanted, int64_t header, Output *output, Damage *damage)
{
    uint8_t *to = NULL;
    int64_t left = 0, length = 0;
    for (int64_t i = 0; i < wanted->count; i++) {
        int64_t entry = wanted->rows[i] - wanted->first, begin;
        int64_t bytes = locate(wanted->data, wanted->key, entry, itemsize, header, &begin);
        if (bytes < 0)
            return misfit(entry, damage);
        if (bytes > left) {
            output->length += length;
            length = 0;
            if (!(to = room_for(output, bytes, damage)))
                return 0;
            left = PyByteArray_GET_SIZE(output->values) - output->length;
        }
        copy_items(wanted->data + begin, bytes / itemsize, itemsize, to + length);
        length += bytes;
        left -= bytes;
        output->sizes[i] = bytes / itemsize;
    }
    output->length += length;
    return 1;
}

/* Write the bytes of a list of strings, unless they are those of the list before. */
static int write_strings(const uint8_t *from, int64_t bytes, int64_t place, Output *output,
                       Damage *damage)
{
    int64_t last = output->lists - 1;
    int64_t begin = last > 0 ? output->ends[last - 1] : 0;
    const char *values = PyByteArray_AS_STRING(output->values);
    int same = last >= 0 && output->ends[last] - begin == bytes
            && memcmp(values + begin, from, (size_t)bytes) == 0;
    if (!same) {
        uint8_t *to = room_for(output, bytes, damage);
        if (!to)
            return 0;
        memcpy(to, from, (size_t)bytes);
        output->length += bytes;
        output->ends[output->lists++] = output->length;
    }
    output->sizes[place] = output->lists - 1;
    return 1;
}

static int strings(const Wanted *wanted, int64_t header, Output *output, Damage *damage)
{
    for (int64_t i = 0; i < wanted->count; i++) {
        int64_t entry = wanted->rows[i] - wanted->first, begin;
        int64_t bytes = locate(wanted->data, wanted->key, entry, 1, header, &begin);
        if (bytes < 0)
            return misfit(entry, damage);
        if (!write_strings(wanted->data + begin, bytes, i, output, damage))
            return 0;
    }
    return 1;
}

static inline __attribute__((always_inline)) int
scalars_of_length(int64_t length, int64_t itemsize, const Wanted *wanted, Output *output,
                  Damage *damage)
{
    switch (itemsize) {
    case 8: return scalars_of(8, length, wanted, output, damage);
    case 4: return scalars_of(4, length, wanted, output, damage);
    case 2: return scalars_of(2, length, wanted, output, damage);
    default: return scalars_of(1, length, wanted, output, damage);
    }
}

static int decode_scalars(const Wanted *wanted, Shape shape, Output *output, Damage *damage)
{
    const Key *key = wanted->key;
    if (key->border != key->entries * shape.itemsize * shape.length)
        return damaged(damage, "its %lld events take %lld bytes", (long long)key->entries,
                       (long long)key->border);
    return shape.length == 1
             ? scalars_of_length(1, shape.itemsize, wanted, output, damage)
             : scalars_of_length(shape.length, shape.itemsize, wanted, output, damage);
}

static int decode_lists(const Wanted *wanted, Shape shape, Output *output, Damage *damage)
{
    const Key *key = wanted->key;
    if (key->entries > INT32_MAX / 4 || key->border > key->size - 4 * (key->entries + 1))
        return damaged(damage, "its table of entries does not fit into it");
    if (shape.kind == STRINGS)
        return strings(wanted, shape.header, output, damage);
    switch (shape.itemsize) {
    case 8: return lists_of(8, wanted, shape.header, output, damage);
    case 4: return lists_of(4, wanted, shape.header, output, damage);
    case 2: return lists_of(2, wanted, shape.header, output, damage);
    default: return lists_of(1, wanted, shape.header, output, damage);
    }
}

int decode(const uint8_t *data, const Key *key, const int64_t *rows, int64_t count, int64_t first,
           Shape shape, Output *output, Damage *damage)
{
    Wanted wanted = {data, key, rows, count, first};
    int done = shape.kind == SCALARS ? decode_scalars(&wanted, shape, output, damage)
                                     : decode_lists(&wanted, shape, output, damage);
    if (done && output->sizes)
        output->sizes += count;
    return done;
}
