import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { defineCommand } from '@vic/cli';
import type { CommandContext, OptionValues } from '@vic/cli';
import { VicError } from '@vic/errors';
import {
  checkAgainstInventory,
  checkCertificateDirectory,
  checkVchOptions,
  createVch,
  dockerEnvironmentOf,
  environmentFileOf,
  findPlace,
  makeCertificates,
  parseDuration,
  readBootstrapIso,
  runsProcessMachines,
  waitForDocker,
  writeCertificateFiles,
} from '@vic/vch';
import type { GivenCertificates, VchCertificates, VchConfiguration, VchOptions, VchPlace, VchSettings } from '@vic/vch';
import { CREATE_OPTIONS } from './create-options.ts';
import { summaryOf } from './summary.ts';
import { connect } from './target-options.ts';
import type { Session } from './target-options.ts';
import { VERSION } from './version.ts';

type Options = OptionValues<typeof CREATE_OPTIONS>;

const DEFAULT_TIMEOUT = '3m';
/** Where `guest/image/build.ts` puts it. */
const BUILT_ISO = join(import.meta.dirname, '../../../build/guest/bootstrap.iso');

/** `vic-machine create`: everything is checked before anything is made, and undone when a step fails. */
export const create = defineCommand({
  name: 'create',
  summary: 'Create a virtual container host',
  options: CREATE_OPTIONS,
  examples: [
    'vic-machine create --target esx.example.com --user root --name vch1 \\',
    '    --public-network-ip 192.168.1.10/24 --public-network-gateway 192.168.1.1',
  ],
  run: async (options, context) => {
    const settings = checkVchOptions(vchOptionsOf(options));
    requireProcessRuntime(options['endpoint-runtime']);
    const timeoutMs = parseDuration(options.timeout ?? DEFAULT_TIMEOUT, '--timeout');
    const bootstrapIso = await readBootstrapIso(options['bootstrap-iso'] ?? BUILT_ISO);
    const given = await readGivenCertificates(options);
    const certificatePath = resolve(options['tls-cert-path'] ?? settings.name);
    await checkCertificateDirectory(certificatePath, options.force);
    await using session = await connect(options, context);
    context.say('### Installing VCH ####');
    const place = await checkServer(session, settings, context);
    const certificates = await makeCertificates(settings, given, new Date());
    const created = await createVch(
      {
        client: session.client,
        report: (line) => context.say(line),
        waitUntilReady: async (configuration, signal) => waitForApi(configuration, certificates, signal),
      },
      {
        settings,
        place,
        certificates,
        bootstrapIso,
        vim: { url: session.url, thumbprint: session.thumbprint, user: session.user },
        vimPassword: session.password,
        version: VERSION,
        timeoutMs,
      },
      context.signal,
    );
    await writeUserFiles(certificatePath, certificates, created.configuration);
    const summary = summaryOf(created.configuration, created.endpoint.value, certificatePath);
    context.result(summary.value, `${summary.lines.join('\n')}\nInstaller completed successfully`);
  },
});

async function checkServer(session: Session, settings: VchSettings, context: CommandContext): Promise<VchPlace> {
  const names = { ...settings, datacenter: session.target.datacenter };
  const place = await findPlace(session.client, names, context.signal);
  await checkAgainstInventory(session.client, settings, place, context.signal);
  if (await runsProcessMachines(session.client, place, context.signal)) return place;
  throw new VicError({
    class: 'NotSupported',
    code: 'VIC_MACHINE_NEEDS_HOSTD',
    message: `${session.target.host} cannot run the endpoint as a process VM, and the appliance is not supported yet.`,
    remedy: 'Use hostd, the embedded host, as --target.',
  });
}

async function waitForApi(
  configuration: VchConfiguration,
  certificates: VchCertificates,
  signal: AbortSignal,
): Promise<void> {
  const { dockerHost } = dockerEnvironmentOf(configuration);
  const { files } = certificates;
  const [host = '', port = ''] = dockerHost.split(':');
  const tls = { ca: files['ca.pem'], certificate: files['cert.pem'], key: files['key.pem'] };
  const probe = { host, port: Number(port), tls: configuration.tls.mode === 'no-tls' ? undefined : tls };
  await waitForDocker(probe, signal);
}

async function writeUserFiles(
  path: string,
  certificates: VchCertificates,
  configuration: VchConfiguration,
): Promise<void> {
  const environment = environmentFileOf(dockerEnvironmentOf(configuration, path));
  await writeCertificateFiles(path, { ...certificates.files, [`${configuration.name}.env`]: environment });
}

async function readGivenCertificates(options: Options): Promise<GivenCertificates> {
  const certificate = options['tls-server-cert'];
  const key = options['tls-server-key'];
  if ((certificate === undefined) !== (key === undefined)) {
    throw invalid('tls-server-cert and tls-server-key must both be specified.');
  }
  const given = certificate !== undefined && key !== undefined;
  return {
    server: given ? { certificate: await readPem(certificate), key: await readPem(key) } : undefined,
    clientAuthorities: await Promise.all(options['tls-ca'].map(readPem)),
    registryAuthorities: await Promise.all(options['registry-ca'].map(readPem)),
  };
}

async function readPem(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw invalid(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`);
  });
  if (!text.includes('-----BEGIN ')) throw invalid(`${path} is not a PEM file.`);
  return text;
}

function requireProcessRuntime(runtime: string | undefined): void {
  if (runtime === undefined || runtime === 'process') return;
  if (runtime !== 'vm') throw invalid(`--endpoint-runtime is process or vm, not "${runtime.slice(0, 40)}".`);
  throw new VicError({
    class: 'NotSupported',
    code: 'VIC_MACHINE_NO_APPLIANCE',
    message: '--endpoint-runtime vm is not supported yet: there is no appliance image.',
    remedy: 'Leave --endpoint-runtime out.',
  });
}

function vchOptionsOf(options: Options): VchOptions {
  return {
    name: options.name,
    computeResource: options['compute-resource'],
    imageStore: options['image-store'],
    baseImageSize: options['base-image-size'],
    bridgeNetwork: options['bridge-network'],
    bridgeNetworkRange: options['bridge-network-range'],
    bridgeNetworkWidth: options['bridge-network-width'],
    publicNetwork: options['public-network'],
    publicNetworkIp: options['public-network-ip'],
    publicNetworkGateway: options['public-network-gateway'],
    dnsServers: options['dns-server'],
    memoryMb: options.memory,
    memoryReservationMb: options['memory-reservation'],
    memoryShares: options['memory-shares'],
    cpuMhz: options.cpu,
    cpuReservationMhz: options['cpu-reservation'],
    cpuShares: options['cpu-shares'],
    endpointCpu: options['endpoint-cpu'],
    endpointMemory: options['endpoint-memory'],
    tlsCname: options['tls-cname'],
    noTls: options['no-tls'],
    noTlsVerify: options['no-tlsverify'],
    organization: options.organization,
    insecureRegistries: options['insecure-registry'],
    httpProxy: options['http-proxy'],
    httpsProxy: options['https-proxy'],
    noProxy: options['no-proxy'],
    containerNameConvention: options['container-name-convention'],
    debug: options.debug,
  };
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'VIC_MACHINE_OPTION_INVALID', message });
}
