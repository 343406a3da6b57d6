import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { delay, pollUntil } from '@vic/async';
import { identifyProcess, isAlive } from '@vic/process';

/** A program that goes on when the one that started it ends, is started again when it dies, and can be found again. */
export class Daemon {
  readonly #pidFile: string;
  readonly #logFile: string;

  constructor(directory: string, name: string) {
    this.#pidFile = join(directory, `${name}.pid`);
    this.#logFile = join(directory, `${name}.log`);
  }

  /** Where its output goes. */
  get logFile(): string {
    return this.#logFile;
  }

  /** Starts it unless it runs already; says whether it did. */
  async start(command: readonly string[]): Promise<boolean> {
    if ((await this.#supervisor()) !== undefined) return false;
    const supervise = join(import.meta.dirname, 'supervise');
    const child = spawn(supervise, [this.#pidFile, this.#logFile, ...command], {
      detached: true,
      stdio: 'ignore',
      cwd: '/',
    });
    child.unref();
    await pollUntil(() => this.#supervisor(), 20, AbortSignal.timeout(60_000));
    return true;
  }

  async isRunning(): Promise<boolean> {
    return (await this.#supervisor()) !== undefined;
  }

  /** Ends it and its supervisor, by force after ten seconds; nothing happens when it does not run. */
  async stop(): Promise<void> {
    const pid = await this.#supervisor();
    const identity = pid === undefined ? undefined : await identifyProcess(pid);
    if (identity !== undefined) {
      process.kill(identity.pid, 'SIGTERM');
      for (let waitedMs = 0; (await isAlive(identity)) && waitedMs < 10_000; waitedMs += 50) await delay(50);
      if (await isAlive(identity)) process.kill(-identity.pid, 'SIGKILL');
      const ended = async (): Promise<true | undefined> => ((await isAlive(identity)) ? undefined : true);
      await pollUntil(ended, 20, AbortSignal.timeout(60_000));
    }
    await rm(this.#pidFile, { force: true });
  }

  async #supervisor(): Promise<number | undefined> {
    const pid = Number(await readFile(this.#pidFile, 'utf8').catch(() => ''));
    if (!(pid > 0) || (await identifyProcess(pid)) === undefined) return undefined;
    // After a crash of this machine the number may be another program's, which must not be taken for ours and ended.
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return command.split('\0').includes(this.#pidFile) ? pid : undefined;
  }
}
