import { VicError } from '@vic/errors';
import type { StartFailureKind } from '@vic/agent-protocol';

/** The main or an exec process could not be started. `kind` decides Docker's exit code and wording. */
export class StartFailedError extends VicError {
  readonly kind: StartFailureKind;

  constructor(kind: StartFailureKind, message: string) {
    super({ class: 'InvalidArgument', code: 'CONTAINER_START_FAILED', message });
    this.kind = kind;
  }

  /** 127 when the program does not exist, 126 when it may not run, 128 for the rest, as Docker's. */
  get exitCode(): number {
    if (this.kind === 'not-found') return 127;
    return this.kind === 'permission-denied' || this.kind === 'not-executable' ? 126 : 128;
  }

  /** That of an exec: Docker looks its user up before there is a runtime, and gives 126 for what fails by then. */
  get execExitCode(): number {
    return this.kind === 'user-not-found' ? 126 : this.exitCode;
  }
}
