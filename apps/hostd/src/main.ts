/** hostd: composition follows in the next step (owned by the lead). */
export {};
