import type { Machine, PowerState } from '../execution/machine.ts';

/** The properties of a virtual machine that {@link machineOf} needs. */
export const MACHINE_PROPERTIES = [
  'name',
  'runtime.powerState',
  'runtime.instantCloneFrozen',
  'runtime.cleanPowerOff',
  'runtime.question',
  'config.changeVersion',
  'config.extraConfig',
] as const;

/** A machine from its properties; `undefined` while the server cannot tell its configuration. */
export function machineOf(ref: string, properties: Readonly<Record<string, unknown>>): Machine | undefined {
  const name = properties['name'];
  const extraConfig = properties['config.extraConfig'];
  if (typeof name !== 'string' || !Array.isArray(extraConfig)) return undefined;
  const changeVersion = properties['config.changeVersion'];
  const powerState = powerStateOf(properties['runtime.powerState']);
  return {
    ref,
    name,
    powerState,
    frozen: properties['runtime.instantCloneFrozen'] === true,
    crashed: powerState === 'poweredOff' && properties['runtime.cleanPowerOff'] === false,
    question: textOf(properties['runtime.question']),
    changeVersion: typeof changeVersion === 'string' ? changeVersion : '',
    extraConfig: Object.fromEntries(extraConfig.flatMap((option: unknown) => entryOf(option))),
  };
}

function powerStateOf(value: unknown): PowerState {
  return value === 'poweredOn' || value === 'suspended' ? value : 'poweredOff';
}

function textOf(question: unknown): string | undefined {
  if (typeof question !== 'object' || question === null || !('text' in question)) return undefined;
  return typeof question.text === 'string' ? question.text : undefined;
}

function entryOf(option: unknown): readonly (readonly [string, string])[] {
  if (typeof option !== 'object' || option === null) return [];
  const { key, value } = option as { key?: unknown; value?: unknown };
  return typeof key === 'string' && typeof value === 'string' ? [[key, value]] : [];
}
