import { VicError } from '@vic/errors';
import type { SettingDefinition, SettingValue } from './setting-definition.ts';
import { SETTING_DEFINITIONS, type SettingValues, isSettingName } from './setting-definitions.ts';

/** The settings a client named, checked one by one; a `null` leaves a setting as it is. */
export function parseSettings(changes: Readonly<Record<string, unknown>>): Partial<SettingValues> {
  const parsed: Record<string, SettingValue> = {};
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined) continue;
    if (!isSettingName(name)) throw refused(`unknown configuration item: ${name.slice(0, 100)}`);
    parsed[name] = parseValue(name, value);
  }
  return parsed as Partial<SettingValues>;
}

function parseValue(name: keyof SettingValues, value: unknown): SettingValue {
  const definition: SettingDefinition = SETTING_DEFINITIONS[name];
  const typed = ofType(name, value);
  const reason = definition.refusal?.(typed);
  if (reason !== undefined) throw refused(`the ${name} value ${reason}`);
  return typed;
}

/** Clients also send numbers and truth values as text, as Harbor's did. */
function ofType(name: keyof SettingValues, value: unknown): SettingValue {
  const type = typeof SETTING_DEFINITIONS[name].default;
  if (type === 'string' && typeof value === 'string') return value;
  if (type === 'boolean') {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
  }
  if (type === 'number') {
    if (typeof value === 'number') return value;
    if (typeof value === 'string' && /^-?\d{1,16}$/.test(value)) return Number(value);
  }
  throw refused(`the ${name} value must be a ${type}`);
}

function refused(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'SETTING_INVALID', message });
}
