"""Corrupt, wrong or foreign indexes and models: each ends in one typed error that names a file, and the service does not start."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tests.reliability.harness import Scale, Service, own_index

PROMISE = "1,000 of 1,000 mutations end in one typed error naming the file, exit 3; an extra file is refused"


#: Files that say nothing about vectors: of a model's folder for people and for other libraries, of an index a lock.
UNREAD = ("README.md", "config.json", "config_sentence_transformers.json", ".lock")


def mutate(folder: Path, chance: random.Random) -> str:
    """Damage one file of a folder that decides about answers, in one of several ways, and say how."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in UNREAD and p.stat().st_size)
    path = chance.choice(files)
    data = bytearray(path.read_bytes())
    way = chance.choice(("bit", "bit", "bit", "cut", "longer", "missing", "zeros", "swap", "extra"))
    if way == "missing":
        path.unlink()
    elif way == "extra":
        path.with_name("extra.bin").write_bytes(b"x")
        path = path.with_name("extra.bin")
    elif way == "swap":
        other = chance.choice([f for f in files if f != path])
        if other.read_bytes() == bytes(data):
            data[0] ^= 1
        else:
            data = bytearray(other.read_bytes())
        path.write_bytes(data)
    else:
        place = chance.randrange(len(data))
        if way == "bit":
            data[place] ^= 1 << chance.randrange(8)
        elif way == "cut":
            del data[min(place, len(data) - 2) :]  # more than the line's end, without which JSON says the same
        elif way == "longer":
            data += b"\0"
        else:
            end = min(len(data), place + 64)
            if not any(data[place:end]):
                data[place] = 1
            else:
                data[place:end] = bytes(end - place)
        path.write_bytes(data)
    return f"{way} {path.name}"


def extra_file_is_refused(folder: Path, index: Path) -> bool:
    """Return whether a model's folder with a file that does not belong there is refused."""
    from matcher import Matcher
    from matcher.encoder import EncoderError
    from matcher.index import OccupationIndexError
    from matcher.resources import encoder_path

    model = folder / "model"
    shutil.copytree(encoder_path(), model)
    (model / "extra.bin").write_bytes(b"x")
    try:
        Matcher.load(index, encoder=model)
    except (OccupationIndexError, EncoderError):
        return True
    finally:
        shutil.rmtree(model)
    return False


def measure(scale: Scale) -> dict[str, Any]:
    """Damage copies of an index and of its encoder, and load them."""
    from matcher import Matcher
    from matcher.encoder import EncoderError
    from matcher.index import OccupationIndexError
    from matcher.resources import encoder_path

    count, served = (1000, 20) if scale == "full" else (60, 2)
    chance = random.Random(6)
    figures: dict[str, Any] = {"mutations": 0, "typed": 0, "named": 0, "survived": [], "other": []}
    index, _ = own_index()
    exits: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as trial_folder:
        figures["extra_file_in_model_refused"] = extra_file_is_refused(Path(trial_folder), index)
        for number in range(count):
            trial = Path(trial_folder) / "trial"
            model = number % 4 == 3
            source = encoder_path() if model else index
            shutil.copytree(source, trial, copy_function=shutil.copyfile)
            if model:
                done = mutate(trial, chance)
            else:
                current = (trial / "CURRENT").read_text().strip()
                for version in trial.iterdir():
                    if version.is_dir() and version.name != current:
                        shutil.rmtree(version)  # nobody reads it
                done = mutate(trial / current if number % 8 else trial, chance)
            figures["mutations"] += 1
            try:
                Matcher.load(index if model else trial, encoder=trial if model else None)
            except (OccupationIndexError, EncoderError) as error:
                figures["typed"] += 1
                figures["named"] += str(trial) in str(error) or str(index) in str(error)
                if number < served:
                    settings: dict[str, object] = {"index": index, "encoder": trial} if model else {"index": trial}
                    code = _exit_code(**settings)
                    exits[str(code)] = exits.get(str(code), 0) + 1
            except Exception as error:  # noqa: BLE001 - it is counted
                figures["other"].append(f"{'model' if model else 'index'}: {done}: {type(error).__name__}")
            else:
                figures["survived"].append(f"{'model' if model else 'index'}: {done}")
            shutil.rmtree(trial)
    shutil.rmtree(index.parent)
    return figures | {"served": served, "exit_codes": exits}


def _exit_code(**settings: object) -> int:
    service = Service(**settings)
    code = service.process.wait(60)
    service.end()
    return code


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what is not as promised."""
    found = [f"loaded all the same: {what}" for what in figures["survived"]] + [
        f"not a typed error: {what}" for what in figures["other"]
    ]
    if not figures["extra_file_in_model_refused"]:
        found.append("an extra file in a model's folder is ignored")
    if figures["named"] != figures["typed"]:
        found.append(f"{figures['typed'] - figures['named']} errors name no file")
    if set(figures["exit_codes"]) != {"3"}:
        found.append(f"exit codes {figures['exit_codes']}")
    return found
