"""Draws one page of the PDF on its standard input: a line of JSON, then a JPEG. Run by kyc_pages.py, never imported."""

import io
import json
import resource
import sys

MEMORY_BYTES = 768 * 1024**2
CPU_SECONDS = 10
LONGEST_SIDE_PIXELS = 2_000


def give_up_what_is_not_needed() -> None:
    """No room to grow, no time to waste, no file to write, no process to start, nothing left behind when it crashes."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE):
        resource.setrlimit(limit, (0, 0))


def main() -> None:
    import PIL.Image
    import pypdfium2

    PIL.Image.preinit()  # knows JPEG, while files can still be opened
    given = sys.stdin.buffer.read()
    number = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))  # from here on, no file or connection is opened
    pdf = pypdfium2.PdfDocument(given)
    page = pdf[number - 1]
    scale = min(LONGEST_SIDE_PIXELS / max(page.get_size()), 4)
    picture = page.render(scale=scale).to_pil().convert("RGB")
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=85)
    sys.stdout.buffer.write(json.dumps({"pages": len(pdf)}).encode() + b"\n" + output.getvalue())
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    give_up_what_is_not_needed()
    main()
