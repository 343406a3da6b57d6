export { appendEvent, readEvents } from './stored-event.ts';
export type { StoredEvent } from './stored-event.ts';
export { EventConsumers } from './event-consumers.ts';
export type { EventConsumersOptions } from './event-consumers.ts';
export type { ConsumerLag, EventConsumer } from './event-consumer.ts';
export { trimEvents } from './trim-events.ts';
