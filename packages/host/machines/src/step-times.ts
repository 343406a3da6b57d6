/** How long the steps of an operation took, one after another. */
export class StepTimes {
  readonly #milliseconds: Record<string, number> = {};
  #last = performance.now();

  /** Ends a step; the next one begins. */
  end(step: string): void {
    const now = performance.now();
    this.#milliseconds[step] = Math.round(now - this.#last);
    this.#last = now;
  }

  get milliseconds(): Readonly<Record<string, number>> {
    return this.#milliseconds;
  }
}
