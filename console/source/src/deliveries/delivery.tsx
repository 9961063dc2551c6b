import { useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { useRights } from "../api/caller";
import { change } from "../api/client";
import { DeleteDeliveryDocument, DeliveryFactsDocument, type DeliveryFactsQuery } from "../api/operations.generated";
import { useAction, useAnswer } from "../api/use";
import { Dialog, Empty, Failure, Heading, Loading, Status } from "../part/parts";
import { text } from "../text";
import { Audience } from "./audience";
import { Check } from "./check";
import { Content } from "./content";
import { Progress } from "./progress";
import { Results } from "./results";
import { Settings } from "./settings";

const t = text.deliveries;
export type Delivery = NonNullable<DeliveryFactsQuery["delivery"]>;
export type StepProps = { delivery: Delivery; again: () => void; go: (step: Step) => void; mayChange: boolean };
type Step = "settings" | "audience" | "content" | "check" | "progress" | "results";

const preparing: Step[] = ["settings", "audience", "content", "check"];
const parts = { settings: Settings, audience: Audience, content: Content, check: Check, progress: Progress, results: Results };

/** The path of a delivery: what, to whom, with which words, whether it fits, and how it went. */
export function DeliveryPage({ id, step }: { id: string; step?: string }) {
  const rights = useRights();
  const { route } = useLocation();
  const { data, error, again } = useAnswer(DeliveryFactsDocument, { id });
  const [isDeleting, setIsDeleting] = useState(false);
  const { isBusy, error: failure, run } = useAction();
  const delivery = data?.delivery;
  if (error) return <Failure error={error} />;
  if (!data) return <Loading />;
  if (!delivery) return <Empty title={t.gone} />;
  const isDraft = delivery.status === "EDITING" || delivery.status === "READY";
  const steps: Step[] = isDraft ? preparing : ["progress", "results", "settings", "audience", "content", "check"];
  const usual: Step = !isDraft ? (delivery.status === "FINISHED" ? "results" : "progress") : delivery.targetCount === 0 ? "audience" : "check";
  const shown = steps.includes(step as Step) ? (step as Step) : usual;
  const go = (next: Step) => route(`/console/deliveries/${id}/${next}`);
  const Part = parts[shown];
  return (
    <>
      <Heading title={delivery.label} back={{ href: "/console/deliveries", label: t.title }}>
        <Status value={delivery.status} />
        {rights.mayChange && isDraft && (
          <button type="button" onClick={() => setIsDeleting(true)}>
            {t.delete}
          </button>
        )}
      </Heading>
      <nav class={isDraft ? "steps" : "tabs"} aria-label={t.path}>
        {steps.map((name, i) => (
          <a key={name} href={`/console/deliveries/${id}/${name}`} aria-current={shown === name ? "step" : undefined}>
            {isDraft && <span class="step-number">{i + 1}</span>}
            {t.steps[name]}
          </a>
        ))}
      </nav>
      <Part key={shown} delivery={delivery} again={again} go={go} mayChange={rights.mayChange && isDraft} />
      {isDeleting && (
        <Dialog title={t.deleteTitle(delivery.label)} close={() => setIsDeleting(false)}>
          <p>{t.deleteText}</p>
          <Failure error={failure} />
          <div class="actions end">
            <button type="button" onClick={() => setIsDeleting(false)}>
              {text.cancel}
            </button>
            <button
              type="button"
              class="danger"
              disabled={isBusy}
              onClick={() =>
                run(async () => {
                  await change(DeleteDeliveryDocument, { id });
                  route("/console/deliveries");
                })
              }
            >
              {t.delete}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
