/* area.h - where numbers come from: division codes, telephone area codes, mobile prefixes.
 *
 * The tables are in area_table.c, which make_area_table.py writes from public data.
 */
#ifndef RULES_AREA_H
#define RULES_AREA_H

#include <stdbool.h>
#include <stdint.h>

enum {
    AREA_FIRST_CITY = 1100, /* first four digits of the lowest division code */
    AREA_LAST_CITY = 8300   /* and of the highest */
};

/* area_is_division tells that `code` is a division code of GB/T 2260 that was in use at any time
 * since 1980, or one of 810000, 820000, 830000 of the residence permits of Hong Kong, Macao and
 * Taiwan residents. Old codes count: a person keeps the number given at the first registration. */
bool area_is_division(uint32_t code);

/* area_is_phone tells that `code` is a telephone area code of the mainland without its leading 0:
 * 10, 21, 755. */
bool area_is_phone(uint32_t code);

/* area_is_mobile tells that mobile numbers begin with these five digits, 10000..19999. */
bool area_is_mobile(uint32_t prefix);

/* The generated tables; use the functions. */
extern const uint16_t area_city_rows[AREA_LAST_CITY - AREA_FIRST_CITY + 1];
extern const uint64_t area_counties[][2];
extern const uint64_t area_phones[16];
extern const uint64_t area_mobiles[157];

#endif
