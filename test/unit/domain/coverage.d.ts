export declare class Coverage<Name extends string> {
    #private;
    reach(name: Name): void;
    /** Fails when one of `names` was reached fewer than `times` times. */
    expectEach(names: readonly Name[], times: number): void;
}
