"""What waits at the demo's KYC desk: people who do not exist, with documents that a program drew."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw
from reportlab.pdfgen.canvas import Canvas
from stdnum import luhn

from accounts import kyc
from accounts.audit import Origin
from accounts.kyc import Identity
from accounts.models import KycDocument, KycSubmission, User
from wallets.services import open_account

SPECIMEN = "SPECIMEN - drawn by a program for the demo"


@dataclass(frozen=True)
class Applicant:
    first_name: str
    last_name: str
    phone: str
    first_twelve: str
    """Of the identity number, whose last digit is computed."""
    has_address: bool
    hours_ago: int
    is_confirmed: bool = True

    @property
    def email(self) -> str:
        return f"{self.first_name.lower()}@applicants.example.com"

    @property
    def number(self) -> str:
        return self.first_twelve + luhn.calc_check_digit(self.first_twelve)


APPLICANTS = (
    Applicant("Lerato", "Molefe", "+27600000011", "880214044008", has_address=True, hours_ago=52),
    Applicant("Mandla", "Zulu", "+27600000012", "750330504408", has_address=False, hours_ago=27),
    Applicant("Precious", "Nkosi", "+27600000013", "120608035008", has_address=False, hours_ago=20),
    Applicant("Johan", "Botha", "+27600000014", "690911515508", has_address=True, hours_ago=6, is_confirmed=False),
    Applicant("Busisiwe", "Cele", "+27600000015", "880214044008", has_address=False, hours_ago=3),
    Applicant("Naledi", "Sithole", "+27600000016", "910523015908", has_address=False, hours_ago=1),
)
"""One of everything: a number that waits twice (the first and the fifth), good for tier 1 (the second and the last), too
young, and without a confirmed contact."""


def make_cases(*, now: dt.datetime) -> None:
    """Add whoever is missing, each with a case that waits. What officers decided stays."""
    for applicant in APPLICANTS:
        user = User.objects.with_email(applicant.email).first() or _register(applicant, now)
        if not KycSubmission.objects.filter(user=user).exists():
            _submit(applicant, user, now - dt.timedelta(hours=applicant.hours_ago))


def _register(applicant: Applicant, now: dt.datetime) -> User:
    user, _ = open_account(
        email=applicant.email,
        phone=applicant.phone,
        password=None,
        first_name=applicant.first_name,
        last_name=applicant.last_name,
    )
    if applicant.is_confirmed:
        user.email_verified_at = user.phone_verified_at = now
        user.save(update_fields=["email_verified_at", "phone_verified_at"])
    return user


def _submit(applicant: Applicant, user: User, at: dt.datetime) -> None:
    documents = [(KycDocument.Kind.IDENTITY, _card(applicant))]
    if applicant.has_address:
        documents.append((KycDocument.Kind.PROOF_OF_ADDRESS, _statement(applicant)))
    kyc.submit(
        user_public_id=user.public_id,
        identity=Identity(id_type=KycSubmission.IdType.SA_ID, number=applicant.number),
        documents=documents,
        now=at,
        origin=Origin(),
    )


def _card(applicant: Applicant) -> bytes:
    card = Image.new("RGB", (860, 540), (228, 236, 225))
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, 0, 860, 84), fill=(38, 92, 66))
    draw.text((30, 24), "IDENTITY CARD", fill="white", font_size=34)
    draw.rectangle((40, 130, 270, 430), fill=(190, 200, 192))
    draw.ellipse((105, 175, 205, 285), fill=(120, 132, 124))
    draw.pieslice((75, 290, 235, 520), 180, 360, fill=(120, 132, 124))
    lines = (("Surname", applicant.last_name), ("Names", applicant.first_name), ("Identity number", applicant.number))
    for position, (title, text) in enumerate(lines):
        draw.text((310, 132 + position * 100), title, fill=(80, 92, 84), font_size=22)
        draw.text((310, 160 + position * 100), text, fill=(20, 30, 24), font_size=36)
    draw.text((40, 480), SPECIMEN, fill=(150, 40, 40), font_size=26)
    output = BytesIO()
    card.save(output, "JPEG", quality=88)
    return output.getvalue()


def _statement(applicant: Applicant) -> bytes:
    output = BytesIO()
    canvas = Canvas(output)
    for page, lines in enumerate(
        (
            ("MUNICIPAL ACCOUNT", f"{applicant.first_name} {applicant.last_name}", "12 Example Street", "Johannesburg"),
            ("Water and electricity", "Amount due: R 412.50", "Thank you for paying in time."),
        ),
        start=1,
    ):
        for position, line in enumerate(lines):
            canvas.setFontSize(22 if position == 0 else 14)
            canvas.drawString(80, 740 - position * 34, line)
        canvas.setFontSize(10)
        canvas.drawString(80, 60, f"{SPECIMEN}, page {page}")
        canvas.showPage()
    canvas.save()
    return output.getvalue()
