/** What one setting is. */
export interface SettingDefinition<T extends SettingValue = SettingValue> {
  readonly default: T;
  readonly description: string;
  /** Kept encrypted, and never answered. */
  readonly secret?: true;
  /** Why a value is refused; nothing when it may be. */
  refusal?(value: T): string | undefined;
}

/** The types a setting can have; its default tells which. */
export type SettingValue = string | number | boolean;

const MAX_TEXT_LENGTH = 64 * 1024;

/** A text. */
export function text(
  fallback: string,
  description: string,
  refusal?: (value: string) => string | undefined,
): SettingDefinition<string> {
  return {
    default: fallback,
    description,
    refusal: (value) =>
      value.length > MAX_TEXT_LENGTH ? `is longer than ${MAX_TEXT_LENGTH} characters` : refusal?.(value),
  };
}

/** A text that nobody is told. */
export function secret(description: string): SettingDefinition<string> {
  return { ...text('', description), secret: true };
}

/** Yes or no. */
export function flag(fallback: boolean, description: string): SettingDefinition<boolean> {
  return { default: fallback, description };
}

/** A whole number within limits. */
export function wholeNumber(
  fallback: number,
  limits: { readonly min: number; readonly max: number },
  description: string,
): SettingDefinition<number> {
  return {
    default: fallback,
    description,
    refusal: (value) =>
      Number.isSafeInteger(value) && value >= limits.min && value <= limits.max
        ? undefined
        : `must be a whole number from ${limits.min} to ${limits.max}`,
  };
}

/** One of a few words. */
export function choice<const T extends string>(
  choices: readonly T[],
  fallback: NoInfer<T>,
  description: string,
): SettingDefinition<T> {
  return {
    default: fallback,
    description,
    refusal: (value) => (choices.includes(value) ? undefined : `must be one of ${choices.join(', ')}`),
  };
}
