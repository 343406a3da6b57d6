/** One option of a command, as data: parsing, help and documentation are made from it. */
export interface OptionSpec {
  /** `text` takes a value, `number` a whole one, `list` may be repeated, `flag` takes none. */
  readonly kind: 'text' | 'number' | 'list' | 'flag';
  readonly description: string;
  /** One-letter form, without dash. */
  readonly short?: string;
  /** Further names, which VIC's command line also takes with a single dash (`-pn`). */
  readonly aliases?: readonly string[];
  /** Stands for the value in the help. */
  readonly placeholder?: string;
  /** Environment variable the value is taken from when the option is not given. */
  readonly environment?: string;
  /** Shown in the help; what it means is the command's business. */
  readonly defaultText?: string;
  /** Why the option, which exists elsewhere, is refused when given: a sentence. */
  readonly refused?: string;
}

/** Options by their long name. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The values of a command's options, by long name. */
export type OptionValues<T extends OptionSpecs> = {
  readonly [K in keyof T]: T[K]['kind'] extends 'flag'
    ? boolean
    : T[K]['kind'] extends 'list'
      ? readonly string[]
      : T[K]['kind'] extends 'number'
        ? number | undefined
        : string | undefined;
};

/** What a running command may use of the terminal. */
export interface CommandContext {
  /** Prints one line for people; with `--json`, to standard error. */
  say(line: string): void;
  /** Prints the command's result: the value with `--json`, otherwise the text. */
  result(value: unknown, text: string): void;
  /** Asks for a secret without showing it; refused when there is no terminal. */
  askSecret(question: string): Promise<string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Fires when the user interrupts. */
  readonly signal: AbortSignal;
}

/** A command, as data. Every command also has `--help` and `--json`. */
export interface CommandSpec<T extends OptionSpecs = OptionSpecs> {
  /** One word, or several for a sub-command: `inspect config`. */
  readonly name: string;
  readonly summary: string;
  readonly options: T;
  /** Shown at the end of the help. */
  readonly examples?: readonly string[];
  run(options: OptionValues<T>, context: CommandContext): Promise<void>;
}

/** A command of any options. */
export type AnyCommand = Omit<CommandSpec, 'run'> & {
  readonly run: (options: never, context: CommandContext) => Promise<void>;
};

/** Declares a command; its options' values are typed by their declaration. */
export function defineCommand<const T extends OptionSpecs>(command: CommandSpec<T>): AnyCommand {
  return command;
}
