"""The workflows: in which order a release happens, with which rights, and what it refuses."""

import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.addon.files import CONFIGURATION, ROOT, read_text, read_yaml

WORKFLOWS: Final = [f".github/workflows/{file.name}" for file in sorted((ROOT / ".github/workflows").iterdir())]
RELEASE: Final = read_yaml(".github/workflows/release.yaml")
JOBS: Final[dict[str, Any]] = RELEASE["jobs"]
IMAGE: Final = "ghcr.io/some-body/alexa-oauth"


def steps(workflow: str) -> list[dict[str, Any]]:
    """Every step of a workflow."""
    return [step for job in read_yaml(workflow)["jobs"].values() for step in job.get("steps", ())]


def before(job: str) -> set[str]:
    """The jobs that must have succeeded before this one begins."""
    needed = JOBS[job].get("needs", [])
    return set(needed).union(*(before(other) for other in needed))


def test_the_store_hears_of_a_version_only_when_it_was_tested_built_signed_and_published() -> None:
    assert before("build") == {"check", "test"}
    assert before("publish") == before("build") | {"build"}
    assert before("offer") == before("publish") | {"publish"}
    (*_, last) = JOBS["offer"]["steps"]
    assert "/merges" in last["run"]
    assert [name for name, job in JOBS.items() if "if" in job] == []
    assert list(RELEASE[True]) == ["push"], "YAML reads the key `on` as true"
    assert list(RELEASE[True]["push"]) == ["tags"]


def test_each_job_may_do_what_it_does_and_no_more() -> None:
    tests = read_yaml(".github/workflows/test.yaml")
    assert tests["permissions"] == {"contents": "read"}
    assert not [name for name, job in tests["jobs"].items() if "permissions" in job]
    assert RELEASE["permissions"] == {}
    writes = {name: {right for right, kind in job["permissions"].items() if kind == "write"} for name, job in JOBS.items()}
    signs = {"id-token", "packages"}
    assert writes == {"check": set(), "test": set(), "build": signs, "publish": signs, "offer": {"contents"}}


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_foreign_actions_are_named_by_content_and_get_no_credentials_to_keep(workflow: str) -> None:
    for line in re.findall(r"uses: (.+)", read_text(workflow)):
        assert line.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v?[0-9.]+", line), line
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_nothing_that_others_can_name_becomes_part_of_a_script(workflow: str) -> None:
    assert [step["run"] for step in steps(workflow) if "${{" in step.get("run", "")] == []


def test_the_checks_find_a_python_that_runs_the_home_assistant_of_the_tests() -> None:
    (python,) = [step["with"] for step in steps(".github/workflows/test.yaml") if "setup-python" in step.get("uses", "")]
    wanted = re.search(r'PYTHONS="([^"]+)" find_python', read_text("test.sh"))
    assert wanted is not None
    first, last = python["python-version"].splitlines()
    assert f"python{first}" in wanted[1].split()
    assert last == "${{ matrix.python }}", "the last is the one that everything else runs on"


def test_it_builds_what_the_store_lists() -> None:
    assert RELEASE["env"]["ARCHITECTURES"] == str(CONFIGURATION["arch"]).replace("'", '"')
    assert RELEASE["env"]["IMAGE_NAME"] == IMAGE.rpartition("/")[2]
    published = [step["with"] for job in ("build", "publish") for step in JOBS[job]["steps"] if "builder" in step["uses"]]
    assert [step["image-tags"].splitlines()[0] for step in published] == ["${{ needs.check.outputs.version }}"] * 2


def test_it_publishes_under_a_name_without_capital_letters() -> None:
    builders = [step["with"] for job in JOBS.values() for step in job.get("steps", ()) if "multi-arch" in step.get("uses", "")]
    assert [step["registry-prefix"].rpartition(".")[2] for step in builders] == ["prefix }}"] * 2


class Repository:
    """A clone at a tagged commit, beside a default branch that offers what it offers."""

    def __init__(self, folder: Path, *, offers: str, tagged: str) -> None:
        self.folder = folder
        self.git("init", "--quiet")
        self.commit(offers)
        self.git("update-ref", "refs/remotes/origin/main", "HEAD")
        self.commit(tagged)

    def git(self, *arguments: str) -> None:
        """Run git as nobody in particular."""
        who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True)

    def commit(self, config: str) -> None:
        """Commit that as config.yaml."""
        (self.folder / "config.yaml").write_text(config, "utf-8")
        self.git("add", "config.yaml")
        self.git("commit", "--quiet", "--allow-empty", "--message", "another")

    def check(self, tag: str) -> tuple[int, str, str]:
        """The first job's verdict on a tag: exit status, what it says, what it passes on."""
        (script,) = (step["run"] for step in JOBS["check"]["steps"] if "run" in step)
        output = self.folder / "output"
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "GITHUB_REF_NAME": tag,
            "GITHUB_REPOSITORY_OWNER": "Some-Body",
            "IMAGE_NAME": RELEASE["env"]["IMAGE_NAME"],
            "DEFAULT_BRANCH": "main",
            "GITHUB_OUTPUT": str(output),
        }
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr, output.read_text("utf-8") if output.exists() else ""


def config(version: str, image: str | None = IMAGE) -> str:
    """This project's config.yaml with another version and image."""
    text = re.sub(r"^image: .*\n", "", read_text("config.yaml"), flags=re.MULTILINE)
    text = re.sub(r'^version: ".*"$', f'version: "{version}"', text, flags=re.MULTILINE)
    return text if image is None else f"{text}image: {image}\n"


@pytest.mark.parametrize("offers", [config("1.2.2"), config("1.2.3", None)], ids=["next", "first"])
def test_a_version_that_the_store_does_not_offer_yet_is_released(tmp_path: Path, offers: str) -> None:
    repository = Repository(tmp_path, offers=offers, tagged=config("1.2.3"))
    assert repository.check("v1.2.3") == (0, "", f"version=1.2.3\nimage={IMAGE}\nprefix=ghcr.io/some-body\n")


@pytest.mark.parametrize(
    ("offers", "tagged", "tag", "complaint"),
    [
        (config("1.2.2"), config("1.2.3"), "v1.2.4", "version is not the tag's, 1.2.4"),
        (config("1.2.2"), config("1.2.3", None), "v1.2.3", f"image is not where this is published, {IMAGE}"),
        (config("1.2.2"), config("1.2.3", "ghcr.io/other/alexa-oauth"), "v1.2.3", "image is not where this is published"),
        (config("1.2.3"), config("1.2.3"), "v1.2.3", "the store offers 1.2.3 already"),
    ],
    ids=["other-version", "no-image", "fork", "pushed-to-the-default-branch"],
)
def test_a_tag_that_would_mislead_the_store_is_refused(
    tmp_path: Path, offers: str, tagged: str, tag: str, complaint: str
) -> None:
    status, said, passed_on = Repository(tmp_path, offers=offers, tagged=tagged).check(tag)
    assert (status, passed_on) == (1, "")
    assert f"::error file=config.yaml::{complaint}" in said
