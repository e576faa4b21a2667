"""Invented people for tests: names, numbers and addresses that hold together.

Everything follows from a seed. The check digits are right and the division codes exist, so that
the values are what a detector must find; the people do not exist. Sequence codes 900..998 of the
resident number are hardly ever given out, and mail addresses use the reserved example domains.
"""

import json
import random
import sys
from dataclasses import asdict, dataclass

SURNAMES = [
    ("张", "ZHANG"), ("王", "WANG"), ("李", "LI"), ("赵", "ZHAO"), ("陈", "CHEN"), ("刘", "LIU"),
    ("杨", "YANG"), ("黄", "HUANG"), ("周", "ZHOU"), ("吴", "WU"), ("徐", "XU"), ("孙", "SUN"),
    ("马", "MA"), ("朱", "ZHU"), ("胡", "HU"), ("郭", "GUO"), ("何", "HE"), ("罗", "LUO"),
    ("欧阳", "OUYANG"), ("司马", "SIMA"), ("上官", "SHANGGUAN"), ("诸葛", "ZHUGE"),
]
GIVEN = [
    ("伟", "WEI"), ("芳", "FANG"), ("娜", "NA"), ("敏", "MIN"), ("静", "JING"), ("磊", "LEI"),
    ("洋", "YANG"), ("勇", "YONG"), ("艳", "YAN"), ("杰", "JIE"), ("建国", "JIANGUO"),
    ("秀英", "XIUYING"), ("桂兰", "GUILAN"), ("志强", "ZHIQIANG"), ("文博", "WENBO"),
    ("雨桐", "YUTONG"), ("子涵", "ZIHAN"), ("浩然", "HAORAN"), ("思远", "SIYUAN"),
    ("晓燕", "XIAOYAN"), ("国栋", "GUODONG"), ("美玲", "MEILING"), ("嘉怡", "JIAYI"),
]
# code of the division, province, city, district, postal code, landline area code
AREAS = [
    ("110101", "北京市", "北京市", "东城区", "100010", "010"),
    ("110108", "北京市", "北京市", "海淀区", "100080", "010"),
    ("310101", "上海市", "上海市", "黄浦区", "200001", "021"),
    ("440103", "广东省", "广州市", "荔湾区", "510170", "020"),
    ("440305", "广东省", "深圳市", "南山区", "518052", "0755"),
    ("330106", "浙江省", "杭州市", "西湖区", "310013", "0571"),
    ("320102", "江苏省", "南京市", "玄武区", "210018", "025"),
    ("510104", "四川省", "成都市", "锦江区", "610011", "028"),
    ("420106", "湖北省", "武汉市", "武昌区", "430061", "027"),
    ("610103", "陕西省", "西安市", "碑林区", "710001", "029"),
    ("370202", "山东省", "青岛市", "市南区", "266001", "0532"),
    ("500103", "重庆市", "重庆市", "渝中区", "400010", "023"),
    ("120101", "天津市", "天津市", "和平区", "300041", "022"),
    ("350203", "福建省", "厦门市", "思明区", "361001", "0592"),
]
ROADS = ["解放路", "人民路", "中山北路", "建设大街", "和平西路", "朝阳路", "长江路", "青年路", "文化路"]
MOBILE_PREFIXES = ["133", "135", "136", "138", "139", "150", "158", "177", "182", "186", "189", "199"]
MOD_11_2_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]


def resident_id_check(first17):
    """The last character of a resident number: ISO 7064 MOD 11-2, GB 11643-1999."""
    total = sum(int(c) * w for c, w in zip(first17, MOD_11_2_WEIGHTS))
    return "10X98765432"[total % 11]


def resident_id_valid(text):
    return len(text) == 18 and text[:17].isdigit() and resident_id_check(text[:17]) == text[17]


def luhn_check(digits):
    """The last digit of a bank card: ISO/IEC 7812-1 annex B."""
    total = 0
    for i, c in enumerate(reversed(digits)):
        d = int(c) * (2 if i % 2 == 0 else 1)
        total += d - 9 if d > 9 else d
    return str(-total % 10)


@dataclass
class Person:
    surname: str
    given: str
    surname_latin: str
    given_latin: str
    sex: str  # "M" or "F"
    birth_date: str  # YYYYMMDD
    id_number: str
    phone: str
    landline: str
    province: str
    city: str
    street: str  # district, road, number, flat
    postal_code: str
    email: str
    medical_record_number: str
    insurance_number: str
    account: str
    bank_card: str
    passport: str

    @property
    def name(self):
        return self.surname + self.given

    @property
    def address(self):
        city = "" if self.city == self.province else self.city
        return self.province + city + self.street

    @property
    def birth_iso(self):
        return f"{self.birth_date[:4]}-{self.birth_date[4:6]}-{self.birth_date[6:]}"

    def row(self):
        row = asdict(self)
        row.update(name=self.name, address=self.address)
        return row


class People:
    """An endless line of people, of different names while there are any; one seed, one line."""

    def __init__(self, seed):
        self.random = random.Random(f"medguan people {seed}")
        self.names = set()

    def digits(self, n):
        return "".join(self.random.choice("0123456789") for _ in range(n))

    def resident_id(self, area=None, birth=None, sex=None):
        """A valid resident number; the sequence code is odd for men."""
        r = self.random
        area = area or r.choice(AREAS)[0]
        birth = birth or self.birth_date()
        sequence = r.randrange(900, 998)
        if sex is not None and (sequence % 2 == 1) != (sex == "M"):
            sequence += 1
        first = f"{area}{birth}{sequence:03d}"
        return first + resident_id_check(first)

    def birth_date(self):
        r = self.random
        return f"{r.randrange(1938, 2012):04d}{r.randrange(1, 13):02d}{r.randrange(1, 29):02d}"

    def person(self):
        r = self.random
        for _ in range(64):
            surname, given = r.choice(SURNAMES), r.choice(GIVEN)
            if surname[0] + given[0] not in self.names:
                break
        self.names.add(surname[0] + given[0])
        area, province, city, district, postal, landline = r.choice(AREAS)
        birth, sex = self.birth_date(), r.choice("MF")
        card = "622202" + self.digits(12)
        return Person(
            surname=surname[0], given=given[0], surname_latin=surname[1], given_latin=given[1],
            sex=sex, birth_date=birth, id_number=self.resident_id(area, birth, sex),
            phone=r.choice(MOBILE_PREFIXES) + self.digits(8),
            landline=f"{landline}-8{self.digits(7)}",
            province=province, city=city,
            street=f"{district}{r.choice(ROADS)}{r.randrange(1, 300)}号"
                   f"{r.randrange(1, 30)}幢{r.randrange(1, 7)}0{r.randrange(1, 5)}室",
            postal_code=postal,
            email=f"{given[1].lower()}.{surname[1].lower()}{self.digits(3)}@example.com",
            medical_record_number="ZY" + self.digits(8),
            insurance_number="YB" + self.digits(10),
            account="AC" + self.digits(9),
            bank_card=card + luhn_check(card),
            passport="E" + self.digits(8))

    def not_an_id(self):
        """Eighteen digits of the right shape whose check digit is wrong: no resident number."""
        good = self.resident_id()
        return good[:17] + str((int(good[17]) + 3) % 10 if good[17] != "X" else 4)


def main():
    if len(sys.argv) > 3 or (len(sys.argv) > 1 and sys.argv[1] in ("-h", "--help")):
        print("usage: people.py [SEED [COUNT]]: invented people, one JSON object a line")
        return 2
    people = People(sys.argv[1] if len(sys.argv) > 1 else "1")
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 5):
        print(json.dumps(people.person().row(), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
