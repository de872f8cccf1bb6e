package io.trivet.view;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Checks JSON against state.schema.json, as far as that uses JSON Schema. An unknown keyword is an error, so that nothing is skipped. */
final class SchemaCheck {
    private static final Set<String> COMMENTS = Set.of("$schema", "title", "description", "$defs", "properties");

    private final JsonObject root;
    private final List<String> violations = new ArrayList<>();

    private SchemaCheck(JsonObject root) {
        this.root = root;
    }

    /** Returns what is wrong with a state, each with its path. */
    static List<String> violations(String json) throws IOException {
        try (InputStream in = SchemaCheck.class.getResourceAsStream("state.schema.json")) {
            SchemaCheck check = new SchemaCheck(
                    JsonParser.parseString(new String(in.readAllBytes(), StandardCharsets.UTF_8)).getAsJsonObject());
            check.check(check.root, JsonParser.parseString(json), "$");
            return check.violations;
        }
    }

    private void check(JsonObject schema, JsonElement value, String path) {
        for (Map.Entry<String, JsonElement> rule : schema.entrySet()) {
            boolean holds = switch (rule.getKey()) {
                case "type" -> hasType(rule.getValue(), value);
                case "enum" -> rule.getValue().getAsJsonArray().contains(value);
                case "minimum" -> value.getAsDouble() >= rule.getValue().getAsDouble();
                case "pattern" -> value.getAsString().matches(rule.getValue().getAsString());
                case "required" -> value.isJsonObject() && rule.getValue().getAsJsonArray().asList().stream()
                        .allMatch(name -> value.getAsJsonObject().has(name.getAsString()));
                case "additionalProperties" -> value.isJsonObject()
                        && schema.getAsJsonObject("properties").keySet().containsAll(value.getAsJsonObject().keySet());
                case "maxItems" -> value.getAsJsonArray().size() <= rule.getValue().getAsInt();
                case "items" -> {
                    JsonArray items = value.getAsJsonArray();
                    for (int i = 0; i < items.size(); i++) {
                        check(rule.getValue().getAsJsonObject(), items.get(i), path + "[" + i + "]");
                    }
                    yield true;
                }
                case "$ref" -> {
                    String name = rule.getValue().getAsString().substring("#/$defs/".length());
                    check(root.getAsJsonObject("$defs").getAsJsonObject(name), value, path);
                    yield true;
                }
                case "anyOf" -> rule.getValue().getAsJsonArray().asList().stream().anyMatch(one -> {
                    SchemaCheck check = new SchemaCheck(root);
                    check.check(one.getAsJsonObject(), value, path);
                    return check.violations.isEmpty();
                });
                default -> COMMENTS.contains(rule.getKey());
            };
            if (!holds) {
                violations.add(path + " breaks " + rule.getKey() + " " + rule.getValue() + ": " + value);
            }
        }
        if (schema.has("properties") && value.isJsonObject()) {
            for (Map.Entry<String, JsonElement> property : schema.getAsJsonObject("properties").entrySet()) {
                if (value.getAsJsonObject().has(property.getKey())) {
                    check(property.getValue().getAsJsonObject(), value.getAsJsonObject().get(property.getKey()),
                            path + "." + property.getKey());
                }
            }
        }
    }

    private static boolean hasType(JsonElement type, JsonElement value) {
        return type.isJsonArray() ? type.getAsJsonArray().asList().stream().anyMatch(one -> isOfType(one.getAsString(), value))
                : isOfType(type.getAsString(), value);
    }

    private static boolean isOfType(String type, JsonElement value) {
        return switch (type) {
            case "object" -> value.isJsonObject();
            case "array" -> value.isJsonArray();
            case "null" -> value.isJsonNull();
            case "string" -> value.isJsonPrimitive() && value.getAsJsonPrimitive().isString();
            case "boolean" -> value.isJsonPrimitive() && value.getAsJsonPrimitive().isBoolean();
            case "number" -> value.isJsonPrimitive() && value.getAsJsonPrimitive().isNumber();
            case "integer" -> value.isJsonPrimitive() && value.getAsJsonPrimitive().isNumber()
                    && value.getAsDouble() == Math.rint(value.getAsDouble());
            default -> throw new IllegalArgumentException(type);
        };
    }
}
