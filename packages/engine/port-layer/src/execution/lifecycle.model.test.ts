import fc from 'fast-check';
import { isVicError } from '@vic/errors';
import { expect, it, vi } from 'vitest';
import { SimulatedVch, newContainer } from './testing/simulated-vch.ts';

type Status = 'created' | 'running' | 'exited';
interface Expected {
  status: Status;
  autoRemove: boolean;
  starts: number;
}
/** What the containers should be, by name. */
type Model = Map<string, Expected>;

// No hexadecimal digits: a name could be taken for the beginning of an id.
const NAMES = ['x', 'y'];
const signal = new AbortController().signal;

/** Does it, and says whether it was refused as the model expects. */
async function attempt(operation: () => Promise<void>, isRefused: boolean): Promise<void> {
  try {
    await operation();
  } catch (error) {
    if (isRefused && isVicError(error)) return;
    throw error;
  }
  expect(isRefused).toBe(false);
}

/** The state that everything agrees on in the end. */
async function settled(model: Model, vch: SimulatedVch): Promise<void> {
  await vi.waitFor(
    () => {
      const actual = vch.execution.list().map(({ config, state }) => [config.name, state.status] as const);
      const expected = [...model].map(([name, { status }]) => [name, status] as const);
      expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(expected));
      expect(vch.networks.held.size).toBe(model.size);
      const running = [...model.values()].filter(({ status }) => status === 'running').length;
      expect(vch.networks.connected.size).toBe(running);
      for (const { config, state } of vch.execution.list()) {
        const power = vch.host.machineOf(config.id)?.powerState;
        if (state.status === 'running') expect(power).toBe('poweredOn');
        if (state.status === 'exited') expect(power).toBe('poweredOff');
      }
    },
    { timeout: 20_000, interval: 1 },
  );
}

abstract class Step implements fc.AsyncCommand<Model, SimulatedVch> {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, vch: SimulatedVch): Promise<void> {
    await this.act(model, vch);
    await settled(model, vch);
  }

  toString(): string {
    return `${this.constructor.name}(${this.name})`;
  }

  protected end(model: Model): void {
    const expected = model.get(this.name);
    if (expected?.autoRemove === true) model.delete(this.name);
    else if (expected !== undefined) expected.status = 'exited';
  }

  protected refOf(vch: SimulatedVch): string {
    return vch.host.machineOf(vch.execution.get(this.name).config.id)?.ref ?? '';
  }

  abstract act(model: Model, vch: SimulatedVch): Promise<void>;
}

class Create extends Step {
  readonly autoRemove: boolean;

  constructor(name: string, autoRemove: boolean) {
    super(name);
    this.autoRemove = autoRemove;
  }

  async act(model: Model, vch: SimulatedVch): Promise<void> {
    const request = newContainer(this.name, ['run'], { autoRemove: this.autoRemove });
    await attempt(async () => void (await vch.execution.create(request, signal)), model.has(this.name));
    if (!model.has(this.name)) model.set(this.name, { status: 'created', autoRemove: this.autoRemove, starts: 0 });
  }
}

class Start extends Step {
  async act(model: Model, vch: SimulatedVch): Promise<void> {
    const expected = model.get(this.name);
    const isRefused = expected === undefined || expected.status === 'running';
    await attempt(async () => vch.execution.start(this.name, signal), isRefused);
    if (expected !== undefined) expected.status = 'running';
  }
}

class Stop extends Step {
  async act(model: Model, vch: SimulatedVch): Promise<void> {
    const isRunning = model.get(this.name)?.status === 'running';
    await attempt(async () => vch.execution.stop(this.name, {}, signal), !isRunning);
    if (isRunning) this.end(model);
  }
}

class Kill extends Step {
  async act(model: Model, vch: SimulatedVch): Promise<void> {
    const isRunning = model.get(this.name)?.status === 'running';
    await attempt(async () => vch.execution.kill(this.name, 'KILL', signal), !isRunning);
    if (isRunning) this.end(model);
  }
}

class Restart extends Step {
  async act(model: Model, vch: SimulatedVch): Promise<void> {
    const expected = model.get(this.name);
    await attempt(async () => vch.execution.restart(this.name, {}, signal), expected === undefined);
    if (expected !== undefined) expected.status = 'running';
  }
}

class Remove extends Step {
  readonly force: boolean;

  constructor(name: string, force: boolean) {
    super(name);
    this.force = force;
  }

  async act(model: Model, vch: SimulatedVch): Promise<void> {
    const expected = model.get(this.name);
    const isRefused = expected === undefined || (expected.status === 'running' && !this.force);
    await attempt(async () => vch.execution.remove(this.name, { force: this.force }, signal), isRefused);
    if (!isRefused) model.delete(this.name);
  }
}

/** The process ends by itself. */
class Exit extends Step {
  async act(model: Model, vch: SimulatedVch): Promise<void> {
    if (model.get(this.name)?.status !== 'running') return;
    vch.host.guestOf(vch.execution.get(this.name).config.id)?.exit(0);
    this.end(model);
  }
}

/** Someone at the infrastructure pulls the plug. */
class PowerOff extends Step {
  async act(model: Model, vch: SimulatedVch): Promise<void> {
    if (model.get(this.name)?.status !== 'running') return;
    await vch.host.powerOff(this.refOf(vch));
    this.end(model);
  }
}

/** Someone at the infrastructure powers a machine on. */
class PowerOn extends Step {
  async act(model: Model, vch: SimulatedVch): Promise<void> {
    const expected = model.get(this.name);
    if (expected?.status !== 'exited') return;
    await vch.host.powerOn(this.refOf(vch));
    expected.status = 'running';
  }
}

/** Someone at the infrastructure destroys a machine. */
class Vanish extends Step {
  async act(model: Model, vch: SimulatedVch): Promise<void> {
    if (!model.delete(this.name)) return;
    vch.host.vanish(this.refOf(vch));
  }
}

/** A tether loses its connection and dials again. */
class Redial extends Step {
  async act(model: Model, vch: SimulatedVch): Promise<void> {
    if (!model.has(this.name)) return;
    vch.host.redial(vch.execution.get(this.name).config.id);
  }
}

/** The endpoint is killed; meanwhile a process may end and a plug may be pulled. */
class EndpointRestart extends Step {
  readonly meanwhile: 'nothing' | 'exit' | 'power-off';

  constructor(name: string, meanwhile: EndpointRestart['meanwhile']) {
    super(name);
    this.meanwhile = meanwhile;
  }

  async act(model: Model, vch: SimulatedVch): Promise<void> {
    const isRunning = model.get(this.name)?.status === 'running';
    const id = isRunning ? vch.execution.get(this.name).config.id : '';
    const ref = isRunning ? this.refOf(vch) : '';
    await vch.kill();
    if (isRunning && this.meanwhile === 'exit') vch.host.guestOf(id)?.exit(0);
    if (isRunning && this.meanwhile === 'power-off') await vch.host.powerOff(ref);
    if (isRunning && this.meanwhile !== 'nothing') this.end(model);
    await vch.start();
  }
}

it('containers are what was done to them, whoever did it and whatever dies in between', async () => {
  const name = fc.constantFrom(...NAMES);
  const commands = fc.commands(
    [
      // Several times: most steps have something to do only for containers that run.
      ...[1, 2, 3].map(() => fc.tuple(name, fc.boolean()).map(([n, autoRemove]) => new Create(n, autoRemove))),
      ...[1, 2, 3, 4].map(() => name.map((n) => new Start(n))),
      name.map((n) => new Stop(n)),
      name.map((n) => new Kill(n)),
      name.map((n) => new Restart(n)),
      fc.tuple(name, fc.boolean()).map(([n, force]) => new Remove(n, force)),
      name.map((n) => new Exit(n)),
      name.map((n) => new PowerOff(n)),
      name.map((n) => new PowerOn(n)),
      name.map((n) => new Vanish(n)),
      name.map((n) => new Redial(n)),
      fc
        .tuple(name, fc.constantFrom('nothing' as const, 'exit' as const, 'power-off' as const))
        .map(([n, meanwhile]) => new EndpointRestart(n, meanwhile)),
    ],
    { maxCommands: 60, size: 'max' },
  );
  await fc.assert(
    fc.asyncProperty(commands, async (steps) => {
      const vch = new SimulatedVch();
      await using _cleanup = vch;
      await vch.start();
      await fc.asyncModelRun(() => ({ model: new Map(), real: vch }), steps);
      for (const { config } of vch.events.map((event) => event.container)) {
        const types = vch.events.filter((event) => event.container.config.id === config.id).map(({ type }) => type);
        const ends = types.filter((type) => type === 'container.died').length;
        const starts = types.filter((type) => type === 'container.started').length;
        expect(ends).toBeLessThanOrEqual(starts);
        expect(types.filter((type) => type === 'container.removed').length).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 60 },
  );
}, 300_000);
