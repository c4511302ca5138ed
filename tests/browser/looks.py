"""What can be measured of a page's looks: it fits, it can be touched, and it can be read (WCAG 2.2, AA)."""

from dataclasses import dataclass
from typing import Final

from playwright.async_api import Page

TEXT_CONTRAST: Final = 4.5
EDGE_CONTRAST: Final = 3.0
TOUCH_PIXELS: Final = 44

_MEASURE: Final = """() => {
  const channels = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const luminance = ([red, green, blue]) => {
    const linear = [red, green, blue].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const isShown = (element) => element.checkVisibility();
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || !isShown(element)) continue;
    texts.push([text, contrast(channels(getComputedStyle(element).color), ground(element))]);
  }
  const edges = [...document.querySelectorAll("input:not([type=hidden])")].map((field) =>
    [field.name, contrast(channels(getComputedStyle(field).borderTopColor), ground(field))]);
  const controls = "button, summary, input:not([type=hidden]), select";
  const touched = [...document.querySelectorAll(controls)].filter(isShown).map((element) => {
    const { width, height } = element.getBoundingClientRect();
    return [element.textContent || element.name, width, height];
  });
  const root = document.scrollingElement;
  return { texts, edges, touched, overflow: root.scrollWidth - root.clientWidth };
}"""


@dataclass(frozen=True, slots=True)
class Looks:
    """Faults of a page as a person would name them; `controls` are the sizes of what can be touched, by text or name."""

    faults: tuple[str, ...]
    controls: dict[str, tuple[float, float]]


async def looks_of(page: Page) -> Looks:
    """Measure the page as it stands, with the colours that the browser computed."""
    measured = await page.evaluate(_MEASURE)
    faults = [f"{text!r} has a contrast of {ratio:.2f}" for text, ratio in measured["texts"] if ratio < TEXT_CONTRAST]
    faults += [f"The edge of {name} has a contrast of {ratio:.2f}" for name, ratio in measured["edges"] if ratio < EDGE_CONTRAST]
    faults += [f"{name} is {height} high" for name, _, height in measured["touched"] if height < TOUCH_PIXELS]
    if measured["overflow"] > 0:
        faults.append(f"The page is {measured['overflow']} pixels wider than the screen")
    return Looks(tuple(faults), {name: (width, height) for name, width, height in measured["touched"]})
