/* area.c - looks numbers up in the generated tables, each in constant time. */
#include "rules/area.h"

static bool bit_at(const uint64_t *words, uint32_t n)
{
    return (words[n / 64] >> (n % 64) & 1) != 0;
}

bool area_is_division(uint32_t code)
{
    const uint32_t city = code / 100;
    if (city < AREA_FIRST_CITY || city > AREA_LAST_CITY)
        return false;
    return bit_at(area_counties[area_city_rows[city - AREA_FIRST_CITY]], code % 100);
}

bool area_is_phone(uint32_t code)
{
    return code < 1000 && bit_at(area_phones, code);
}

bool area_is_mobile(uint32_t prefix)
{
    return prefix >= 10000 && prefix < 20000 && bit_at(area_mobiles, prefix - 10000);
}
