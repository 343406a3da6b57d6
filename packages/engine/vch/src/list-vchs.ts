import { inventoryPath, list } from '@vic/vim-client';
import type { VimClient } from '@vic/vim-client';
import type { ManagedObjectReference, OptionValue } from '@vic/vim';
import { VicError, isVicError } from '@vic/errors';
import { VCH_CONFIGURATION_KEY, decodeVchConfiguration } from './configuration.ts';
import type { VchConfiguration } from './configuration.ts';

/** A virtual container host that was found in the inventory. */
export interface FoundVch {
  readonly endpoint: ManagedObjectReference<'VirtualMachine'>;
  readonly name: string;
  readonly poweredOn: boolean;
  /** `undefined` when it cannot be read by this version. */
  readonly configuration: VchConfiguration | undefined;
  /** All keys of the endpoint's extraConfig that can be read. */
  readonly extraConfig: Readonly<Record<string, string>>;
}

/** All virtual container hosts of a server. */
export async function listVchs(client: VimClient, signal: AbortSignal): Promise<readonly FoundVch[]> {
  const machines = await list(client, 'VirtualMachine', ['name', 'runtime.powerState', 'config.extraConfig'], {
    signal,
  });
  return machines.flatMap(({ ref, properties }) => {
    const extraConfig = extraConfigOf(properties['config.extraConfig']);
    if (extraConfig[VCH_CONFIGURATION_KEY] === undefined) return [];
    return [
      {
        endpoint: ref,
        name: properties.name ?? ref.value,
        poweredOn: properties['runtime.powerState'] === 'poweredOn',
        configuration: readable(extraConfig),
        extraConfig,
      },
    ];
  });
}

/** The configuration of a VCH; refused when a newer version wrote it. */
export function configurationOf(vch: FoundVch): VchConfiguration {
  if (vch.configuration !== undefined) return vch.configuration;
  throw new VicError({
    class: 'NotSupported',
    code: 'VCH_CONFIGURATION_NEWER',
    message: `The configuration of ${vch.name} cannot be read by this version of vic-machine.`,
    remedy: 'Use the version that created it.',
  });
}

/** The path of a VCH's endpoint in the inventory, without its name. */
export async function folderPathOf(client: VimClient, vch: FoundVch, signal: AbortSignal): Promise<string> {
  const path = await inventoryPath(client, vch.endpoint, { signal });
  return path.replace(/\/[^/]*$/, '');
}

/** Keys and values of an extraConfig, those with text only. */
export function extraConfigOf(values: readonly OptionValue[] | undefined): Record<string, string> {
  return Object.fromEntries(
    (values ?? []).flatMap(({ key, value }) => (typeof value === 'string' ? [[key, value]] : [])),
  );
}

function readable(extraConfig: Readonly<Record<string, string>>): VchConfiguration | undefined {
  try {
    return decodeVchConfiguration(extraConfig);
  } catch (error) {
    // A VCH that cannot be read is listed all the same, so that it can be deleted.
    if (isVicError(error)) return undefined;
    throw error;
  }
}
