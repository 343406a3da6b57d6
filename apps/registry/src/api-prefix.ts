/** Where the REST API is. */
export const API_PREFIX = '/api/v2.0';
