"""One table, as text or Markdown."""

from engines import FIRST_PROMPT, TESTS


def number(value, digits):
    return f"{value:.{digits}f}"


def speed(value):
    return number(value, 0 if value >= 100 else 1)


def rate_rows(models):
    """Header, then three rows a model: ours, theirs, ratio."""
    yield ["tokens/s", *TESTS]
    for model in models:
        rates = model["rates"]
        yield [model["name"], *(speed(rates[test]["ours"]) for test in TESTS)]
        yield ["  llama.cpp", *(speed(rates[test]["theirs"]) for test in TESTS)]
        yield ["  ratio", *(number(rates[test]["ratio"], 2) + "×" for test in TESTS)]


def other_columns(models):
    """Heading, what a cell says of a model, and what the heading means; for what was measured only."""
    first = models[0]
    if "step_cost" in first:
        meaning = "C(n): time of a step of n tokens, logits of all, over that of one."
        for width in sorted(first["step_cost"]):
            if width > 1:
                yield f"C({width})", lambda model, width=width: number(model["step_cost"][width], 2), meaning
    if "busy" in first:
        meaning = "busy: generation while another program fills one of the processors, as a share of idle."
        for heading, side in (("busy", "ours"), ("busy llama.cpp", "theirs")):
            yield heading, lambda model, side=side: f"{100 * model['busy'][side]['share']:.0f} %", meaning
    if "first_token_seconds" in first:
        meaning = f"first token: from the start of the process to the first text after a prompt of {FIRST_PROMPT} tokens."
        yield "first token", lambda model: f"{model['first_token_seconds']:.2f} s", meaning


def aligned(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]).rstrip()


def piped(rows):
    line = lambda cells: "| " + " | ".join(cell.strip() for cell in cells) + " |"  # noqa: E731
    yield line(rows[0])
    yield "|---|" + "---:|" * (len(rows[0]) - 1)
    yield from map(line, rows[1:])


def text(result, markdown=False):
    """The whole report."""
    lines = [
        f"{result['machine']}; {result['threads']} threads; rounds in turn: {result['rounds']}, medians",
        f"{result['swiftinfer']} against llama.cpp {result['llama_cpp']}",
        "",
    ]
    form = piped if markdown else aligned
    models = result["models"]
    if "rates" in models[0]:
        lines += [*form(list(rate_rows(models))), ""]
    if columns := list(other_columns(models)):
        rows = [["", *(heading for heading, _, _ in columns)]]
        rows += [[model["name"], *(cell(model) for _, cell, _ in columns)] for model in models]
        lines += [*form(rows), "", *dict.fromkeys(meaning for _, _, meaning in columns)]
    return "\n".join(lines).rstrip()
