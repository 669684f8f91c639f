/** A button that plays a sequence, eight frames a second, and pauses it. */
import { h } from "./dom";

const frame_ms = 120;

export interface Reel {
  atEnd: () => boolean;
  rewind: () => void;
  advance: () => void;
}

/** Pressed at the end, it starts over; it stops by itself when the end is reached. */
export function playButton(reel: Reel): HTMLButtonElement {
  let timer: number | undefined;
  const button = h("button", { type: "button", "data-play": "", click: toggle }, "Play");
  function toggle(): void {
    if (timer !== undefined) {
      window.clearInterval(timer);
      timer = undefined;
      button.textContent = "Play";
      return;
    }
    button.textContent = "Pause";
    if (reel.atEnd()) reel.rewind();
    timer = window.setInterval(() => {
      reel.advance();
      if (reel.atEnd()) toggle();
    }, frame_ms);
  }
  return button;
}
