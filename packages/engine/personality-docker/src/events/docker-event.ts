import type { EventMessage } from '@vic/docker-api';
import type { Container, Execution, PortLayerEvent } from '@vic/port-layer';
import { labelsOf } from '../containers/container-record.ts';
import { SIGNAL_NUMBERS } from '../containers/signal-name.ts';

type Message = Omit<EventMessage, 'time' | 'timeNano'>;

/** What one port layer event is to Docker's clients. */
export function dockerEventsOf(event: PortLayerEvent, execution: Pick<Execution, 'exec'>): readonly Message[] {
  const { container } = event;
  switch (event.type) {
    case 'container.created':
      return [containerEvent(container, 'create')];
    case 'container.started':
      return [containerEvent(container, 'start')];
    case 'container.killed':
      return [containerEvent(container, 'kill', { signal: signalNumberText(event.signal) })];
    case 'container.died':
      return [
        containerEvent(container, 'die', {
          exitCode: String(event.exitCode),
          execDuration: String(Math.floor(event.durationSeconds)),
        }),
      ];
    case 'container.oom':
      return [containerEvent(container, 'oom')];
    case 'container.stopped':
      return [containerEvent(container, 'stop')];
    case 'container.restarted':
      return [containerEvent(container, 'restart')];
    case 'container.renamed':
      return [containerEvent(container, 'rename', { oldName: `/${event.oldName}` })];
    case 'container.resized':
      return [containerEvent(container, 'resize', { height: String(event.rows), width: String(event.columns) })];
    case 'container.removed':
      return [containerEvent(container, 'destroy')];
    case 'network.connected':
      return networkEvent(container, 'connect');
    case 'network.disconnected':
      return networkEvent(container, 'disconnect');
    case 'exec.created':
      return [
        containerEvent(container, `exec_create: ${commandOf(execution, event.execId)}`, { execID: event.execId }),
      ];
    case 'exec.started':
      return [containerEvent(container, `exec_start: ${commandOf(execution, event.execId)}`, { execID: event.execId })];
    case 'exec.died':
      return [containerEvent(container, 'exec_die', { execID: event.execId, exitCode: String(event.exitCode) })];
  }
}

/** An event of a container with its labels, image and name. */
export function containerEvent(
  container: Container,
  action: string,
  more: Readonly<Record<string, string>> = {},
): Message {
  const { id, imageReference, name } = container.config;
  return {
    status: action,
    id,
    from: imageReference,
    Type: 'container',
    Action: action,
    Actor: { ID: id, Attributes: { ...labelsOf(container), ...more, image: imageReference, name } },
    scope: 'local',
  };
}

function networkEvent(container: Container, action: string): Message[] {
  const { endpoint } = container;
  if (endpoint === undefined) return [];
  const type = endpoint.network === 'bridge' ? 'bridge' : 'external';
  const attributes = { container: container.config.id, name: endpoint.network, type };
  return [
    { Type: 'network', Action: action, Actor: { ID: endpoint.networkId, Attributes: attributes }, scope: 'local' },
  ];
}

function commandOf(execution: Pick<Execution, 'exec'>, execId: string): string {
  try {
    return execution.exec(execId).process.args.join(' ');
  } catch {
    // The session ended and was forgotten between the event and now.
    return '';
  }
}

function signalNumberText(signal: string): string {
  return String(SIGNAL_NUMBERS.get(signal.replace(/^SIG/, '')) ?? signal);
}
