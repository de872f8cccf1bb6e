package io.trivet.app;

import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** A wrong command line: one line that says what is wrong, one that names the help. */
final class UsageErrors implements IParameterExceptionHandler {
    @Override
    public int handleParseException(ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        PrintWriter err = command.getErr();
        err.println(name + ": " + oneLine(String.valueOf(e.getMessage())) + suggestion(e));
        err.println("Try '" + name + " --help'.");
        err.flush();
        return ExitCode.USAGE;
    }

    /** What was typed is in it: line ends and the like must not get through to the terminal. */
    private static String oneLine(String message) {
        StringBuilder line = new StringBuilder(message.length());
        message.lines().forEach(part -> line.append(line.isEmpty() ? "" : " ").append(part.strip()));
        for (int i = 0; i < line.length(); i++) {
            line.setCharAt(i, Character.isISOControl(line.charAt(i)) ? '?' : line.charAt(i));
        }
        return line.toString();
    }

    private static String suggestion(ParameterException e) {
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> suggestions = unmatched.getSuggestions();
            if (!suggestions.isEmpty()) {
                return "; did you mean " + String.join(" or ", suggestions) + "?";
            }
        }
        return "";
    }
}
