package io.trivet.app;

import io.trivet.net.UnavailableException;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Reports a command's exception: operating errors as one line, programming errors with their stack trace. Exit code 1. */
final class ExecutionErrors implements IExecutionExceptionHandler {
    @Override
    public int handleExecutionException(Exception e, CommandLine command, ParseResult parsed) {
        PrintWriter err = command.getErr();
        if (e instanceof IOException || e instanceof UnavailableException) {
            err.println(command.getCommandSpec().qualifiedName() + ": " + EscapedText.line(String.valueOf(e.getMessage())));
        } else {
            e.printStackTrace(err);
        }
        err.flush();
        return ExitCode.SOFTWARE;
    }
}
