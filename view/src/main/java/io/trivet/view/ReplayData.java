package io.trivet.view;

import com.sun.net.httpserver.HttpExchange;
import io.trivet.observe.LoopStats;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A recorded run: its steps, and the state after each, in the form in which a server that runs shows its own. Any thread. */
final class ReplayData implements Data {
    private static final String ENGINE = "simulated";

    private final Recording recording;

    ReplayData(Recording recording) {
        this.recording = recording;
    }

    @Override
    public boolean read(HttpExchange exchange, String path, Map<String, String> parameters) throws IOException {
        switch (path) {
            case "/api/hello" -> Answer.json(exchange, hello());
            case "/api/step" -> Answer.json(exchange, step(position(parameters)));
            case "/api/clients" -> Answer.json(exchange,
                    StateJson.clients(recording.sample(position(parameters)), ClientQuery.of(parameters)));
            case "/api/client" -> {
                int position = position(parameters);
                long id = LiveData.id(parameters);
                Answer.json(exchange, StateJson.client(recording.sample(position), id, recording.turnsOf(id, position)));
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean change(String path, Map<String, String> parameters) {
        return false;
    }

    @Override
    public @Nullable String refusal() {
        return "a recorded run cannot be changed";
    }

    /** Returns the position of the step that a request names by its number. */
    private int position(Map<String, String> parameters) {
        long number;
        try {
            number = Long.parseLong(parameters.getOrDefault("step", ""));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("step must be a number", e);
        }
        long leftOut = recording.leftOut();
        if (number < 1 || number > recording.steps()
                || (number > recording.first() && number <= recording.first() + leftOut)) {
            throw new IllegalArgumentException("step must be from 1 to " + recording.steps()
                    + (leftOut == 0 ? "" : ", and not one of the " + leftOut + " after " + recording.first()
                            + ", which are left out"));
        }
        return (int) (number <= recording.first() ? number - 1 : number - 1 - leftOut);
    }

    private String hello() {
        List<RecordedStep> steps = recording.kept();
        Json json = new Json().beginObject().name("control").bool(false).name("engine").string(ENGINE).name("replay")
                .beginObject()
                .name("title").string(recording.title()).name("text").string(recording.description())
                .name("steps").number(recording.steps()).name("leftOut").number(recording.leftOut())
                .name("leftOutAfter").number(recording.first()).name("loops").beginArray();
        recording.loops().forEach(json::string);
        json.endArray().name("nanos").beginArray();
        steps.forEach(step -> json.number(step.nanos()));
        json.endArray().name("marks").beginArray();
        steps.forEach(step -> json.number(step.marks()));
        json.endArray().name("failure").string(recording.failure());
        return json.endObject().endObject().toString();
    }

    /** Returns what a page gets as a tick from a server that runs; and of the turns, also what else has happened. */
    private String step(int position) {
        Sample sample = recording.sample(position);
        Json json = new Json().beginObject().name("time").number(sample.millis()).name("engine").string(ENGINE).name("control")
                .bool(false).name("step").number(recording.number(position)).name("nanos").number(sample.nanos())
                .name("pause").beginObject().name("paused").bool(false).name("for").number(0L).name("left").number(0L).endObject()
                .name("loops").beginArray();
        List<LoopStats> loops = recording.loopStats(position);
        for (int i = 0; i < loops.size(); i++) {
            StateJson.loop(json, i, loops.get(i), new long[2], false, false);
        }
        json.endArray();
        StateJson.sample(json, sample);
        json.name("turns").beginArray();
        for (RecordedStep step : recording.upTo(position)) {
            json.beginObject();
            StateJson.turnMembers(json, step.turn(), sample);
            json.name("failed").bool(step.failed()).name("last").bool(step.isLast())
                    .name("linesLeftOut").number(step.linesLeftOut()).name("lines").beginArray();
            step.lines().forEach(json::string);
            json.endArray().endObject();
        }
        return json.endArray().endObject().toString();
    }
}
