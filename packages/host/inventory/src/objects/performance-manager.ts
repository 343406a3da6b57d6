import { type PerfCounterInfo, type PerfEntityMetricBase, type PerfQuerySpec } from '@vic/vim';
import type { Handlers } from '../model/call.ts';
import { invalidArgument, notSupported } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { SAMPLE_SECONDS, type Sample, type UsageSampler } from '../virtual-machine/usage-sampler.ts';
import { VirtualMachine } from './virtual-machine.ts';

interface Counter {
  readonly key: number;
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly rollup: PerfCounterInfo['rollupType'];
  readonly stats: PerfCounterInfo['statsType'];
  readonly value: (sample: Sample, vm: VirtualMachine, host: Host) => number;
}

/** The numbers are those vCenter uses, for clients that know them by heart. */
const COUNTERS: readonly Counter[] = [
  { key: 2, group: 'cpu', name: 'usage', unit: 'percent', rollup: 'average', stats: 'rate', value: cpuHundredths },
  {
    key: 6,
    group: 'cpu',
    name: 'usagemhz',
    unit: 'megaHertz',
    rollup: 'average',
    stats: 'rate',
    value: (sample) => sample.usage.cpuMhz,
  },
  {
    key: 24,
    group: 'mem',
    name: 'usage',
    unit: 'percent',
    rollup: 'average',
    stats: 'absolute',
    value: memoryHundredths,
  },
  {
    key: 33,
    group: 'mem',
    name: 'active',
    unit: 'kiloBytes',
    rollup: 'average',
    stats: 'absolute',
    value: (sample) => kib(sample.usage.residentMemoryBytes),
  },
  {
    key: 98,
    group: 'mem',
    name: 'consumed',
    unit: 'kiloBytes',
    rollup: 'average',
    stats: 'absolute',
    value: (sample) => kib(sample.usage.privateMemoryBytes),
  },
];

/** Performance figures of machines, in samples of twenty seconds. */
export class PerformanceManager extends ManagedObject {
  readonly #host: Host;
  readonly #sampler: UsageSampler;

  constructor(host: Host, sampler: UsageSampler) {
    super('PerformanceManager', WELL_KNOWN.performanceManager.value, host.changes);
    this.#host = host;
    this.#sampler = sampler;
  }

  protected readonly properties = {
    description: () => ({ counterType: [], statsType: [] }),
    perfCounter: () => COUNTERS.map(counterInfo),
    historicalInterval: () => [],
  };

  readonly handlers: Handlers<PerformanceManager> = {
    QueryPerfCounter: (_self, { counterId }) => counterId.map((id) => counterInfo(requireCounter(id))),
    QueryPerfCounterByLevel: () => COUNTERS.map(counterInfo),
    QueryPerfProviderSummary: (_self, { entity }) => ({
      entity,
      currentSupported: this.#host.objects.get(entity, ManagedEntity) instanceof VirtualMachine,
      summarySupported: false,
      refreshRate: SAMPLE_SECONDS,
    }),
    QueryAvailablePerfMetric: (_self, { entity }) => {
      const vm = this.#host.objects.get(entity, ManagedEntity);
      return vm instanceof VirtualMachine ? COUNTERS.map((counter) => ({ counterId: counter.key, instance: '' })) : [];
    },
    QueryPerf: (_self, { querySpec }) => querySpec.map((spec) => this.#query(spec)),
  };

  #query(spec: PerfQuerySpec): PerfEntityMetricBase {
    if (spec.format !== undefined && spec.format !== 'normal')
      throw notSupported('Figures are given in the format normal.');
    if (spec.intervalId !== undefined && spec.intervalId !== SAMPLE_SECONDS)
      throw invalidArgument('intervalId', `The interval is ${SAMPLE_SECONDS} seconds.`);
    const vm = this.#host.objects.get(spec.entity, VirtualMachine);
    const wanted =
      spec.metricId === undefined || spec.metricId.length === 0
        ? COUNTERS
        : [...new Set(spec.metricId.map((id) => id.counterId))].map(requireCounter);
    const inTime = this.#sampler
      .of(vm)
      .filter(
        ({ at }) =>
          (spec.startTime === undefined || at > spec.startTime) && (spec.endTime === undefined || at <= spec.endTime),
      );
    const samples = inTime.slice(-Math.max(1, spec.maxSample ?? inTime.length));
    return {
      $type: 'PerfEntityMetric',
      entity: spec.entity,
      sampleInfo: samples.map(({ at }) => ({ timestamp: at, interval: SAMPLE_SECONDS })),
      value: wanted.map((counter) => ({
        $type: 'PerfMetricIntSeries',
        id: { counterId: counter.key, instance: '' },
        value: samples.map((sample) => counter.value(sample, vm, this.#host)),
      })),
    } as PerfEntityMetricBase;
  }
}

function requireCounter(key: number): Counter {
  const counter = COUNTERS.find((candidate) => candidate.key === key);
  if (counter === undefined) throw invalidArgument('counterId', `There is no counter ${key}.`);
  return counter;
}

function counterInfo(counter: Counter): PerfCounterInfo {
  const described = (key: string): { key: string; label: string; summary: string } => ({
    key,
    label: key,
    summary: key,
  });
  return {
    key: counter.key,
    nameInfo: described(counter.name),
    groupInfo: described(counter.group),
    unitInfo: described(counter.unit),
    rollupType: counter.rollup,
    statsType: counter.stats,
    level: 1,
    perDeviceLevel: 1,
  };
}

function cpuHundredths({ usage }: Sample, vm: VirtualMachine, host: Host): number {
  return Math.min(10_000, Math.round((usage.cpuMhz * 10_000) / (vm.record.cpus * host.capacity.cpuMhz)));
}

function memoryHundredths({ usage }: Sample, vm: VirtualMachine): number {
  return Math.min(10_000, Math.round((usage.residentMemoryBytes * 10_000) / (vm.record.memoryMiB * 2 ** 20)));
}

function kib(bytes: number): number {
  return Math.round(bytes / 1024);
}
