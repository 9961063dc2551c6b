// Who asks, and so what the page offers.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { CallerQuery } from "./operations.generated";

export type Caller = CallerQuery["caller"];

export const CallerContext = createContext<{ caller: Caller; timezone: string }>(null as never);

/** Whether the caller may do something, by the roles to which the schema allows it. */
export function useRights() {
  const { caller, timezone } = useContext(CallerContext);
  const isAdmin = caller.role === "ADMIN";
  const mayChange = isAdmin || caller.role === "MARKETER";
  return {
    caller,
    timezone,
    isAdmin,
    mayChange,
    mayRead: mayChange || caller.role === "ANALYST",
    mayRedeem: mayChange || caller.role === "REDEEMER",
    mayReport: mayChange || caller.role === "REPORTER",
  };
}
