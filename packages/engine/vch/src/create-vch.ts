import { randomBytes, randomUUID } from 'node:crypto';
import { withDeadline } from '@vic/async';
import { VicError, isVicError } from '@vic/errors';
import type { ManagedObjectReference, ResourceAllocationInfo, ResourceConfigSpec } from '@vic/vim';
import type { VimClient } from '@vic/vim-client';
import { properties } from '@vic/vim-client';
import { uploadBootstrapIso } from './bootstrap-iso.ts';
import type { LocalIso } from './bootstrap-iso.ts';
import { createBridge, removeBridge } from './bridge-port-group.ts';
import type { VchCertificates } from './certificates.ts';
import { checkAgainstInventory } from './check-against-inventory.ts';
import { encodeVchConfiguration } from './configuration.ts';
import type { VchConfiguration, VchNetwork, VchVimTarget } from './configuration.ts';
import { endpointMachine, readMacs } from './endpoint-machine.ts';
import { extraConfigOf } from './list-vchs.ts';
import type { VchPlace } from './vch-place.ts';
import type { PoolAllocation, VchSettings } from './vch-settings.ts';

/** Set on the endpoint when its port group was made with it, so that it is removed with it. */
export const CREATED_BRIDGE_KEY = 'vic.vch.created-bridge';

/** What the endpoint reports about itself, in its extraConfig. */
const STATUS_KEY = 'guestinfo.vch.status';

/** Everything needed to create a VCH. */
export interface NewVch {
  readonly settings: VchSettings;
  readonly place: VchPlace;
  readonly certificates: VchCertificates;
  readonly bootstrapIso: LocalIso;
  readonly vim: VchVimTarget;
  readonly vimPassword: string;
  readonly version: string;
  readonly timeoutMs: number;
}

/** What {@link createVch} works with. */
export interface CreateVchDeps {
  readonly client: VimClient;
  /** Told each step before it is taken. */
  readonly report: (line: string) => void;
  /** Resolves when the Docker API of a VCH answers. */
  readonly waitUntilReady: (configuration: VchConfiguration, signal: AbortSignal) => Promise<void>;
}

/** How long a step that has begun may go on when the time is up. */
const FINISH_MS = 60_000;

/** The VCH that was made. */
export interface CreatedVch {
  readonly endpoint: ManagedObjectReference<'VirtualMachine'>;
  readonly configuration: VchConfiguration;
}

/**
 * Creates a virtual container host: pool, bridge network, folder, bootstrap ISO, endpoint VM, and waits until its
 * Docker API answers. Everything is undone when a step fails.
 */
export async function createVch(deps: CreateVchDeps, request: NewVch, signal: AbortSignal): Promise<CreatedVch> {
  const { client, report } = deps;
  const { settings, place, timeoutMs } = request;
  const plan = await checkAgainstInventory(client, settings, place, signal);
  await using undo = new AsyncDisposableStack();
  const work = async (deadline: AbortSignal): Promise<CreatedVch> => {
    // Only what a step that has begun has made can be undone: it may end, and then no other begins.
    const finish = { signal: someTimeAfter(deadline) };
    deadline.throwIfAborted();
    report(`Creating resource pool "${settings.name}"`);
    const pool = await client.call(
      place.parentPool,
      'CreateResourcePool',
      { name: settings.name, spec: poolSpec(settings) },
      finish,
    );
    undo.defer(async () => client.runTask(pool, 'Destroy_Task', {}));
    deadline.throwIfAborted();
    if (plan.bridge.create) {
      report(`Creating bridge network "${plan.bridge.name}"`);
      await createBridge(client, place, plan.bridge.name, finish.signal);
      undo.defer(async () => removeBridge(client, place, plan.bridge.name));
      deadline.throwIfAborted();
    }
    const vchId = randomUUID();
    const folder = [settings.imageStore?.folder, `VIC/${vchId}`].filter(Boolean).join('/');
    report(`Creating directory ${place.files.pathOf(folder)}`);
    await place.files.makeDirectory(`${folder}/images`, finish.signal);
    undo.defer(async () => place.files.delete(folder));
    const iso = await uploadBootstrapIso(
      place.files,
      settings.imageStore?.folder ?? '',
      request.bootstrapIso,
      deadline,
    );
    report(iso.uploaded ? `Uploaded bootstrap ISO to ${iso.path}` : `Bootstrap ISO is at ${iso.path} already`);
    report('Creating appliance on target');
    const portGroups = { public: settings.publicNetwork, bridge: plan.bridge.name };
    const machine = endpointMachine(settings, vchId, place.datastoreName, portGroups);
    deadline.throwIfAborted();
    const endpoint = await client.runTask(place.vmFolder, 'CreateVM_Task', { config: machine, pool }, finish);
    undo.defer(async () => destroyEndpoint(client, endpoint));
    const mac = await readMacs(client, endpoint, deadline);
    const networks: VchNetwork[] = [
      {
        role: 'public',
        portGroup: portGroups.public,
        mac: mac(portGroups.public),
        address: plan.publicAddress.cidr,
        gateway: plan.publicAddress.gateway,
      },
      {
        role: 'bridge',
        portGroup: portGroups.bridge,
        mac: mac(portGroups.bridge),
        address: bridgeAddress(settings),
        gateway: undefined,
      },
    ];
    const configuration = configurationOf(request, { vchId, folder, pool, networks, bootstrapIso: iso.path });
    await configureEndpoint(client, endpoint, request, configuration, plan.bridge.create, finish.signal);
    deadline.throwIfAborted();
    await client.runTask(endpoint, 'PowerOnVM_Task', {}, finish);
    report('Waiting for the appliance to initialize');
    await waitUntilInitialized(deps, endpoint, configuration, deadline);
    return { endpoint, configuration };
  };
  let working: Promise<CreatedVch> | undefined;
  try {
    const started = (deadline: AbortSignal): Promise<CreatedVch> => (working = work(deadline));
    const created = await withDeadline('the virtual container host', timeoutMs, started, signal);
    undo.move();
    return created;
  } catch (error) {
    report('Creation failed; removing what was made');
    // What is under way notices the deadline a moment later; nothing may be made while it is being undone.
    await working?.catch(() => undefined);
    throw isVicError(error, { code: 'DEADLINE_EXCEEDED' }) ? tooSlow(timeoutMs, error) : error;
  }
}

/** A signal for what is not to be given up when the time is up, but is not waited for without end either. */
function someTimeAfter(deadline: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const giveUp = (): void => controller.abort(deadline.reason);
  deadline.addEventListener('abort', () => setTimeout(giveUp, FINISH_MS).unref(), { once: true });
  return controller.signal;
}

function poolSpec({ cpu, memory }: VchSettings): ResourceConfigSpec {
  return { cpuAllocation: allocationOf(cpu), memoryAllocation: allocationOf(memory) };
}

function allocationOf({ limit, reservation, shares }: PoolAllocation): ResourceAllocationInfo {
  return {
    reservation,
    expandableReservation: true,
    limit: limit ?? -1,
    // vSphere wants a number with every level, and heeds it with `custom` only.
    shares: typeof shares === 'number' ? { level: 'custom', shares } : { level: shares, shares: 0 },
  };
}

/** The first address of the first bridge network. */
function bridgeAddress(settings: VchSettings): string {
  return `${settings.bridgeRange.replace(/\d+\/.*$/, '1')}/${settings.bridgeWidth}`;
}

function configurationOf(
  request: NewVch,
  made: {
    readonly vchId: string;
    readonly folder: string;
    readonly pool: ManagedObjectReference;
    readonly networks: readonly VchNetwork[];
    readonly bootstrapIso: string;
  },
): VchConfiguration {
  const { settings, place, certificates } = request;
  return {
    formatVersion: 1,
    id: made.vchId,
    name: settings.name,
    createdByVersion: request.version,
    debug: settings.debug,
    networks: made.networks,
    bridgeRange: settings.bridgeRange,
    bridgeWidth: settings.bridgeWidth,
    dnsServers: settings.dnsServers,
    folder: place.files.pathOf(made.folder),
    imageStore: place.files.pathOf(`${made.folder}/images`),
    baseImageSizeBytes: settings.baseImageSizeBytes,
    resourcePool: { type: made.pool.type, value: made.pool.value },
    vmFolder: { type: place.vmFolder.type, value: place.vmFolder.value },
    bootstrapIso: made.bootstrapIso,
    containerNameConvention: settings.containerNameConvention,
    defaultContainer: { cpus: 1, memoryMiB: 512 },
    registries: {
      insecure: settings.insecureRegistries,
      certificateAuthorities: certificates.registryAuthorities,
      httpProxy: settings.httpProxy,
      httpsProxy: settings.httpsProxy,
      noProxy: settings.noProxy,
    },
    tls: certificates.tls,
    vim: request.vim,
  };
}

async function configureEndpoint(
  client: VimClient,
  endpoint: ManagedObjectReference<'VirtualMachine'>,
  request: NewVch,
  configuration: VchConfiguration,
  createdBridge: boolean,
  signal: AbortSignal,
): Promise<void> {
  const secrets = {
    vimPassword: request.vimPassword,
    serverKey: request.certificates.serverKey,
    containerKey: randomBytes(32).toString('hex'),
  };
  const values = {
    ...encodeVchConfiguration(configuration, secrets),
    ...(createdBridge ? { [CREATED_BRIDGE_KEY]: 'true' } : {}),
  };
  const extraConfig = Object.entries(values).map(([key, value]) => ({ key, value }));
  await client.runTask(endpoint, 'ReconfigVM_Task', { spec: { extraConfig } }, { signal });
}

/** Waits for the API; when it does not come, what the endpoint says about itself is part of the error. */
async function waitUntilInitialized(
  deps: CreateVchDeps,
  endpoint: ManagedObjectReference<'VirtualMachine'>,
  configuration: VchConfiguration,
  signal: AbortSignal,
): Promise<void> {
  try {
    await deps.waitUntilReady(configuration, signal);
  } catch (error) {
    const { 'config.extraConfig': values } = await properties(deps.client, endpoint, ['config.extraConfig']);
    const status = extraConfigOf(values)[STATUS_KEY];
    if (status !== undefined) deps.report(`The appliance says: ${status.replaceAll(/\p{Cc}/gu, ' ').slice(0, 500)}`);
    throw error;
  }
}

async function destroyEndpoint(client: VimClient, endpoint: ManagedObjectReference<'VirtualMachine'>): Promise<void> {
  // Off already when it was never on.
  await client.runTask(endpoint, 'PowerOffVM_Task', {}).catch(() => undefined);
  await client.runTask(endpoint, 'Destroy_Task', {});
}

function tooSlow(timeoutMs: number, cause: unknown): VicError {
  return new VicError({
    class: 'DeadlineExceeded',
    code: 'VCH_CREATE_TOO_SLOW',
    message: `Creating VCH exceeded time limit of ${timeoutMs / 1000} s.`,
    remedy: 'Please increase the timeout using --timeout to accommodate for a busy vSphere target.',
    cause,
  });
}
