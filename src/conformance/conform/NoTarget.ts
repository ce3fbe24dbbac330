import { Data } from "effect"

/** The broker cannot be asked at all, or not what a campaign needs: nothing can be said of its answers. */
export class NoTarget extends Data.TaggedError("NoTarget")<{ readonly message: string }> {}
