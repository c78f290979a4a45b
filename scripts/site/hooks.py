"""What mkdocs does not do by itself: pages outside of docs/, and Markdown as the repository shows it.

A link is written as it works in the repository. Here it becomes one of the site, or plain text when it leads
to a file that the site does not have.
"""

import posixpath
import re
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PAGES = {  # of the site, by the files of the repository that are not in docs/
    "README.md": "index.md",
    "CONTRIBUTING.md": "contribute/contributing.md",
    "CHANGELOG.md": "contribute/changelog.md",
    "SECURITY.md": "security/reporting.md",
}
ASIDE = {"contribute/changelog.md"}  # names everything, so a search shows the other pages first
PICTURES = "bench/results/*.png"
ICONS = "rankalpha/web/page/static/icon*.svg"
FENCE = r"^(?P<fence>```+).*?^(?P=fence)$"
LINK = re.compile(rf"(?ms){FENCE}|(?P<text>!?\[[^\]]*\])\((?P<link>[^)\s]+)\)")
IN_LIST = re.compile(rf"(?ms){FENCE}|^ {{3}}(?=\S)")
NEXT_ITEM = re.compile(rf"(?ms){FENCE}|^ {{4}}\S[^\n]*\n(?=\d+\. )")
DIAGRAM = re.compile(r'(?s)<pre class="mermaid">.*?</pre>')
SOURCES = {page: file for file, page in PAGES.items()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is not in docs/: pages, pictures, and the script of mermaid from its package."""
    pictures = {str(file.relative_to(ROOT)): file for file in sorted(ROOT.glob(PICTURES))}
    added = {page: ROOT / file for file, page in PAGES.items()} | pictures
    added |= {f"assets/{file.name}": file for file in ROOT.glob(ICONS)}
    added["assets/mermaid.min.js"] = Path(str(files_of("mermaidx") / "assets" / "mermaid.js"))
    for uri, file in added.items():
        files.append(File.generated(config, uri, abs_src_path=str(file)))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Return the text with the links of the site, and with numbered lists as mkdocs reads them."""
    uri = page.file.src_uri
    if uri in ASIDE:
        page.meta["search"] = {"boost": 0.2}
    source = SOURCES.get(uri, f"docs/{uri}")

    def of_site(match: re.Match[str]) -> str:
        link = match["link"]
        if match["fence"] or re.match(r"[a-z]+:|#", link):
            return match[0]
        path, mark, anchor = link.partition("#")
        there = _on_site(posixpath.normpath(posixpath.join(posixpath.dirname(source), path)))
        if files.get_file_from_path(there) is None and (ROOT / source).parent.joinpath(path).exists():
            return match["text"].strip("[]")
        return f"{match['text']}({posixpath.relpath(there, posixpath.dirname(uri) or '.')}{mark}{anchor})"

    text = IN_LIST.sub(lambda match: match[0] if match["fence"] else "    ", LINK.sub(of_site, markdown))
    return NEXT_ITEM.sub(lambda match: match[0] if match["fence"] else f"{match[0]}\n", text)


def on_page_content(html: str, **_: Any) -> str:
    """Return the page with a frame around each diagram, in which it can scroll."""

    def framed(match: re.Match[str]) -> str:
        kind = "diagram sequence" if "sequenceDiagram" in match[0] else "diagram"
        return f'<div class="{kind}">{match[0]}</div>'

    return DIAGRAM.sub(framed, html)


def _on_site(file: str) -> str:
    """Return where the site has a file of the repository."""
    return PAGES.get(file, file.removeprefix("docs/"))
