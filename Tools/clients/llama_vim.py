"""llama.vim against the server: its requests, and the plug-in itself in Neovim and Vim.

usage: llama_vim.py BINARY MODEL

The plug-in's source comes from the folder SWIFTINFER_LLAMA_VIM, a checkout of ggml-org/llama.vim, or is cloned. Requests are as its
source writes them (autoload/llama.vim, November 2026).
"""

import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time

from harness import Server

FIELDS = [
    "content", "timings/prompt_n", "timings/prompt_ms", "timings/prompt_per_token_ms", "timings/prompt_per_second",
    "timings/predicted_n", "timings/predicted_ms", "timings/predicted_per_token_ms", "timings/predicted_per_second",
    "truncated", "tokens_cached",
]
EXTRA = [{"text": "int area(int w, int h) { return w * h; }\n", "time": [1764400, 123], "filename": "area.c"}]
TEXT = ["#include <stdio.h>", "", "int main(void) {", "    int area = ", "    return 0;", "}"]

# Types at the end of line 4, waits for the suggestion, accepts it, and writes the buffer and what was said.
SCRIPT = r"""
set nocompatible hidden
let g:llama_config = {'endpoint_fim': '%(url)s/infill', 'n_predict': 16, 'ring_update_ms': 200, 'show_info': 2}
set runtimepath^=%(plugin)s
runtime plugin/llama.vim
let s:tries = 0
function! s:Look(timer)
  let s:tries += 1
  if len(g:cache_data) > 0 || s:tries > %(tries)d
    call timer_stop(a:timer)
    call timer_start(300, function('s:Accept'))
  endif
endfunction
function! s:Accept(timer)
  let l:shown = llama#is_fim_hint_shown()
  if l:shown | call llama#fim_accept('full') | endif
  call writefile([l:shown ? 'shown' : 'hidden', 'cached ' . len(g:cache_data)] + values(g:cache_data)[:0], '%(out)s')
  call writefile(getline(1, '$'), '%(out)s.text')
  qall!
endfunction
edit %(file)s
call cursor(4, 1)
call timer_start(100, function('s:Look'), {'repeat': -1})
call feedkeys('A', 'n')
call timer_start(400, {-> llama#fim(-1, -1, v:false, [], v:false)})
"""


def fill():
    return {
        "id_slot": 0, "input_prefix": "\n".join(TEXT[:3]) + "\n", "input_suffix": "\n" + "\n".join(TEXT[4:]) + "\n",
        "input_extra": EXTRA, "prompt": TEXT[3], "n_predict": 16, "stop": [], "n_indent": 4, "top_k": 40, "top_p": 0.90,
        "samplers": ["top_k", "top_p", "infill"], "stream": False, "cache_prompt": True, "t_max_prompt_ms": 500,
        "t_max_predict_ms": 250, "response_fields": FIELDS, "model": "",
    }


def warm():
    return {
        "id_slot": 0, "input_prefix": "", "input_suffix": "", "input_extra": EXTRA, "prompt": "", "n_predict": 0,
        "temperature": 0.0, "samplers": [], "stream": False, "cache_prompt": True, "t_max_prompt_ms": 1,
        "t_max_predict_ms": 1, "response_fields": [""], "model": "",
    }


def check_requests(server):
    # The plug-in always sends the header, with an empty key where there is none.
    empty = {"Authorization": "Bearer "}
    assert server.json("/infill", warm(), headers=empty) == {}
    answer = server.json("/infill", fill(), headers=empty)
    assert set(answer) == set(FIELDS), answer
    assert isinstance(answer["content"], str) and answer["timings/predicted_n"] <= 16
    # The plug-in reads only answers that have this at once.
    content = server.request("POST", "/infill", fill())[2]
    assert b'"content":"' in content and content.lstrip().startswith(b"{"), content[:100]
    print("ok the recorded requests: warm-up, /infill with flattened response_fields")


def plugin(folder):
    """A folder with the plug-in's source, or None."""
    given = os.environ.get("SWIFTINFER_LLAMA_VIM")
    if given:
        return pathlib.Path(given)
    clone = folder / "llama.vim"
    address = "https://github.com/ggml-org/llama.vim"
    done = subprocess.run(["git", "clone", "--quiet", "--depth", "1", address, clone], capture_output=True)
    return clone if done.returncode == 0 else None


def in_terminal(command, home, timeout):
    """Runs `command` in a terminal of its own, without which an editor has no insert mode. Returns what it wrote."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        list(map(str, command)), stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env=os.environ | {"TERM": "xterm-256color", "HOME": str(home)})
    os.close(slave)
    screen, end = b"", time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                screen += os.read(master, 65536)
            except OSError:
                break
    if process.poll() is None:
        process.kill()
    process.wait()
    os.close(master)
    return screen


def check_editor(name, command, server, source, folder):
    version = subprocess.run([command[0], "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    file, out, script = folder / "main.c", folder / (name + ".out"), folder / (name + ".vim")
    file.write_text("\n".join(TEXT) + "\n")
    script.write_text(SCRIPT % {"url": server.url, "plugin": source, "out": out, "file": file, "tries": 300})
    before = server.metrics()["tokens_predicted_total"]
    screen = in_terminal([*command, "-S", script], folder, 120)
    assert out.exists(), f"{name} did not get to the end: {screen[-800:]!r}"
    shown, cached, *raw = out.read_text().splitlines()
    assert server.metrics()["tokens_predicted_total"] > before, f"{name}: no request reached the server"
    assert cached != "cached 0", f"{name}: the plug-in took no answer"
    text = pathlib.Path(f"{out}.text").read_text().splitlines()
    if shown == "shown":
        assert len(text) >= len(TEXT), text
    inserted = sum(line not in TEXT for line in text)
    print(f"ok {version}: {cached[7:]} answer in the plug-in's cache, suggestion {shown}, {inserted} lines changed by accepting it")


def main():
    binary, model = sys.argv[1:]
    with tempfile.TemporaryDirectory() as temporary, Server(binary, model, "--context", 1024) as server:
        folder = pathlib.Path(temporary)
        check_requests(server)
        editors = {"nvim": ["nvim", "-u", "NONE"], "vim": ["vim", "-u", "NONE", "-N", "-i", "NONE"]}
        present = {name: command for name, command in editors.items() if shutil.which(name)}
        if not present or not shutil.which("curl"):
            print("skipped: the plug-in itself (needs nvim or vim, and curl)")
            return
        source = plugin(folder)
        if not source:
            print("skipped: the plug-in itself (its source cannot be had; SWIFTINFER_LLAMA_VIM names a checkout)")
            return
        for name, command in present.items():
            probe = folder / "probe.vim"
            probe.write_text("if !exists('*extendnew') | cquit 2 | endif\nqall!\n")
            if name == "nvim" and subprocess.run(["nvim", "--headless", "-u", "NONE", "-S", probe], timeout=60).returncode:
                print("skipped: the plug-in in Neovim (this one is too old for llama.vim: it lacks extendnew)")
                continue
            check_editor(name, command, server, source, folder)


main()
