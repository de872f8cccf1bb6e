package io.trivet.mutants;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Instruction;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.IncrementInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LineNumber;
import java.lang.classfile.instruction.OperatorInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;

/**
 * Finds what can be changed in a class, and changes it. Reads class files, so that the numbers of instructions are the same in
 * every process. Static initializers stay as they are, because redefining a class does not run them again.
 */
final class Mutator {
    private static final Map<Opcode, Opcode> BOUNDARIES = Map.of(Opcode.IFLT, Opcode.IFLE, Opcode.IFLE, Opcode.IFLT, Opcode.IFGT,
            Opcode.IFGE, Opcode.IFGE, Opcode.IFGT, Opcode.IF_ICMPLT, Opcode.IF_ICMPLE, Opcode.IF_ICMPLE, Opcode.IF_ICMPLT,
            Opcode.IF_ICMPGT, Opcode.IF_ICMPGE, Opcode.IF_ICMPGE, Opcode.IF_ICMPGT);
    private static final Map<Opcode, Opcode> ARITHMETIC = Map.of(Opcode.IADD, Opcode.ISUB, Opcode.ISUB, Opcode.IADD, Opcode.LADD,
            Opcode.LSUB, Opcode.LSUB, Opcode.LADD);
    private static final int SMALL = 16;
    private static final Set<String> UNCHANGED = Set.of("<clinit>", "values", "valueOf");

    private final Path classes;
    private final ClassFile files = ClassFile.of(ClassFile.ClassHierarchyResolverOption
            .of(ClassHierarchyResolver.ofResourceParsing(ClassLoader.getSystemClassLoader())
                    .orElse(ClassHierarchyResolver.defaultResolver())));

    Mutator(Path classes) {
        this.classes = classes;
    }

    byte[] original(String className) {
        try {
            return Files.readAllBytes(classes.resolve(className.replace('.', '/') + ".class"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the names of the classes that start with one of these prefixes, in order. */
    List<String> classes(List<String> prefixes) throws IOException {
        try (var paths = Files.walk(classes)) {
            return paths.map(path -> classes.relativize(path).toString()).filter(name -> name.endsWith(".class"))
                    .map(name -> name.substring(0, name.length() - ".class".length()).replace('/', '.'))
                    .filter(name -> prefixes.stream().anyMatch(name::startsWith) && !name.endsWith("-info") && !isFlightEvent(name))
                    .sorted().toList();
        }
    }

    /** Flight Recorder adds fields to its events when they are loaded, so their classes cannot be redefined. */
    private boolean isFlightEvent(String className) {
        return files.parse(original(className)).superclass()
                .filter(superclass -> superclass.asInternalName().equals("jdk/jfr/Event")).isPresent();
    }

    List<Mutation> mutations(String className) {
        List<Mutation> found = new ArrayList<>();
        for (MethodModel method : files.parse(original(className)).methods()) {
            if (method.code().isEmpty() || !isMutable(method)) {
                continue;
            }
            String name = name(method);
            int number = 0;
            int line = 0;
            Instruction before = null;
            for (CodeElement element : method.code().get()) {
                if (element instanceof LineNumber next) {
                    line = next.line();
                } else if (element instanceof Instruction instruction) {
                    for (Change change : changes(instruction, before, method)) {
                        found.add(new Mutation(className, name, number, change.operator, change.variant, line, change.text));
                    }
                    before = instruction;
                    number++;
                }
            }
        }
        return found;
    }

    private static boolean isMutable(MethodModel method) {
        String name = method.methodName().stringValue();
        boolean generated = method.flags().has(AccessFlag.SYNTHETIC) && !name.startsWith("lambda$");
        return !generated && !UNCHANGED.contains(name);
    }

    private static String name(MethodModel method) {
        return method.methodName().stringValue() + method.methodType().stringValue();
    }

    /** Returns the class with a change. */
    byte[] mutated(Mutation mutation) {
        return rewritten(mutation.className(), (builder, instruction, number, method) -> {
            if (!name(method).equals(mutation.method()) || number != mutation.instruction()) {
                return false;
            }
            for (Change change : changes(instruction, null, method)) {
                if (change.operator == mutation.operator() && change.variant == mutation.variant()) {
                    change.writer.write(builder);
                    return true;
                }
            }
            throw new IllegalStateException("not possible: " + mutation);
        });
    }

    /** Returns the class with a call of {@link Reached#hit} before each instruction that a mutation changes. */
    byte[] probed(String className, ToIntFunction<String> numberOfPlace) {
        return rewritten(className, (builder, instruction, number, method) -> {
            int place = numberOfPlace.applyAsInt(className + " " + name(method) + " " + number);
            if (place >= 0) {
                builder.loadConstant(place).invokestatic(ClassDesc.of(Reached.class.getName()), "hit",
                        MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int));
            }
            return false;
        });
    }

    /** Writes something before an instruction, or in place of it. */
    private interface Rewriter {
        /** Returns true if the instruction has been replaced. */
        boolean rewrite(CodeBuilder builder, Instruction instruction, int number, MethodModel method);
    }

    private byte[] rewritten(String className, Rewriter rewriter) {
        ClassModel model = files.parse(original(className));
        return files.transformClass(model, (classBuilder, element) -> {
            if (!(element instanceof MethodModel method) || method.code().isEmpty() || !isMutable(method)) {
                classBuilder.with(element);
                return;
            }
            int[] number = {0};
            classBuilder.transformMethod(method, (methodBuilder, part) -> {
                if (part instanceof java.lang.classfile.CodeModel code) {
                    methodBuilder.transformCode(code, (builder, codeElement) -> {
                        if (!(codeElement instanceof Instruction instruction)
                                || !rewriter.rewrite(builder, instruction, number[0]++, method)) {
                            builder.with(codeElement);
                        }
                    });
                } else {
                    methodBuilder.with(part);
                }
            });
        });
    }

    private interface Writer {
        void write(CodeBuilder builder);
    }

    private record Change(Operator operator, int variant, String text, Writer writer) {}

    private static List<Change> changes(Instruction instruction, Instruction before, MethodModel method) {
        List<Change> changes = new ArrayList<>();
        switch (instruction) {
            case BranchInstruction branch -> branches(branch, changes);
            case InvokeInstruction invoke -> calls(invoke, changes);
            case ConstantInstruction constant -> constants(constant.constantValue(), changes);
            case IncrementInstruction increment -> changes.add(new Change(Operator.CONSTANT, 0,
                    "+= " + increment.constant() + " is += 0", builder -> {}));
            case OperatorInstruction operator when ARITHMETIC.containsKey(operator.opcode()) -> changes.add(new Change(
                    Operator.ARITHMETIC, 0, operator.opcode() + " is " + ARITHMETIC.get(operator.opcode()),
                    builder -> operator(builder, ARITHMETIC.get(operator.opcode()))));
            case ReturnInstruction result -> returns(result, before, method, changes);
            default -> {}
        }
        return changes;
    }

    private static void branches(BranchInstruction branch, List<Change> changes) {
        Opcode opcode = branch.opcode();
        if (opcode == Opcode.GOTO || opcode == Opcode.GOTO_W) {
            return;
        }
        Opcode negated = negated(opcode);
        changes.add(new Change(Operator.NEGATED, 0, opcode + " is " + negated,
                builder -> builder.branch(negated, branch.target())));
        Opcode other = BOUNDARIES.get(opcode);
        if (other != null) {
            changes.add(new Change(Operator.BOUNDARY, 0, opcode + " is " + other,
                    builder -> builder.branch(other, branch.target())));
        }
    }

    private static Opcode negated(Opcode opcode) {
        return switch (opcode) {
            case IFEQ -> Opcode.IFNE;
            case IFNE -> Opcode.IFEQ;
            case IFLT -> Opcode.IFGE;
            case IFGE -> Opcode.IFLT;
            case IFGT -> Opcode.IFLE;
            case IFLE -> Opcode.IFGT;
            case IF_ICMPEQ -> Opcode.IF_ICMPNE;
            case IF_ICMPNE -> Opcode.IF_ICMPEQ;
            case IF_ICMPLT -> Opcode.IF_ICMPGE;
            case IF_ICMPGE -> Opcode.IF_ICMPLT;
            case IF_ICMPGT -> Opcode.IF_ICMPLE;
            case IF_ICMPLE -> Opcode.IF_ICMPGT;
            case IF_ACMPEQ -> Opcode.IF_ACMPNE;
            case IF_ACMPNE -> Opcode.IF_ACMPEQ;
            case IFNULL -> Opcode.IFNONNULL;
            case IFNONNULL -> Opcode.IFNULL;
            default -> throw new IllegalArgumentException(opcode.toString());
        };
    }

    private static void operator(CodeBuilder builder, Opcode opcode) {
        switch (opcode) {
            case IADD -> builder.iadd();
            case ISUB -> builder.isub();
            case LADD -> builder.ladd();
            case LSUB -> builder.lsub();
            default -> throw new IllegalArgumentException(opcode.toString());
        }
    }

    private static void calls(InvokeInstruction invoke, List<Change> changes) {
        String name = invoke.owner().name().stringValue().replaceAll(".*/", "") + "." + invoke.name().stringValue();
        List<ClassDesc> parameters = invoke.typeSymbol().parameterList();
        boolean isConstructor = invoke.name().equalsString("<init>");
        if (!isConstructor && invoke.typeSymbol().returnType().equals(ConstantDescs.CD_void)) {
            changes.add(new Change(Operator.REMOVED_CALL, 0, "no call of " + name, builder -> {
                for (ClassDesc parameter : parameters.reversed()) {
                    pop(builder, TypeKind.from(parameter));
                }
                if (invoke.opcode() != Opcode.INVOKESTATIC) {
                    builder.pop();
                }
            }));
        }
        boolean commutes = name.matches("(Math|Long|Integer)\\.(min|max|sum|addExact)") || name.equals("Objects.equals");
        for (int i = 0; i + 1 < parameters.size() && !commutes; i++) {
            if (parameters.get(i).equals(parameters.get(i + 1))) {
                int first = i;
                changes.add(new Change(Operator.SWAPPED_ARGUMENTS, i, "arguments " + (i + 1) + " and " + (i + 2) + " of " + name,
                        builder -> swap(builder, invoke, parameters, first)));
            }
        }
    }

    private static void swap(CodeBuilder builder, InvokeInstruction invoke, List<ClassDesc> parameters, int first) {
        int[] locals = new int[parameters.size()];
        for (int i = parameters.size() - 1; i >= first; i--) {
            TypeKind kind = TypeKind.from(parameters.get(i));
            locals[i] = builder.allocateLocal(kind);
            builder.storeLocal(kind, locals[i]);
        }
        for (int i = first; i < parameters.size(); i++) {
            int from = i == first ? i + 1 : i == first + 1 ? i - 1 : i;
            builder.loadLocal(TypeKind.from(parameters.get(i)), locals[from]);
        }
        builder.with(invoke);
    }

    private static void pop(CodeBuilder builder, TypeKind kind) {
        if (kind.slotSize() == 2) {
            builder.pop2();
        } else {
            builder.pop();
        }
    }

    private static void constants(Object value, List<Change> changes) {
        if (!(value instanceof Integer) && !(value instanceof Long)) {
            return;
        }
        long number = ((Number) value).longValue();
        long[] others = number == 0 ? new long[]{1} : number == 1 ? new long[]{0}
                : new long[]{number + 1, Math.abs(number) > SMALL ? 0 : number - 1};
        for (int i = 0; i < others.length; i++) {
            long other = others[i];
            changes.add(new Change(Operator.CONSTANT, i, number + " is " + other, builder -> {
                if (value instanceof Integer) {
                    builder.loadConstant((int) other);
                } else {
                    builder.loadConstant(other);
                }
            }));
        }
    }

    private static void returns(ReturnInstruction result, Instruction before, MethodModel method, List<Change> changes) {
        if (before instanceof ConstantInstruction) {
            return; // the same as a wrong constant
        }
        boolean isBoolean = method.methodTypeSymbol().returnType().equals(ConstantDescs.CD_boolean);
        switch (result.typeKind()) {
            case INT, BOOLEAN, BYTE, CHAR, SHORT -> changes.add(new Change(Operator.RETURN, 0,
                    isBoolean ? "returns the opposite" : "returns 1 more",
                    builder -> (isBoolean ? builder.iconst_1().ixor() : builder.iconst_1().iadd()).ireturn()));
            case LONG -> changes.add(new Change(Operator.RETURN, 0, "returns 1 more",
                    builder -> builder.lconst_1().ladd().lreturn()));
            case REFERENCE -> changes.add(new Change(Operator.RETURN, 0, "returns null",
                    builder -> builder.pop().aconst_null().areturn()));
            default -> {}
        }
    }
}
