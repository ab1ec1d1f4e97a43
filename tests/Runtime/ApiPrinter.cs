using System.Reflection;
using System.Runtime.CompilerServices;

namespace Rl.Distributed.Runtime.Tests;

/// <summary>Prints types and members in the notation of akka-api.txt.</summary>
public static class ApiPrinter
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void", [typeof(object)] = "object", [typeof(string)] = "string", [typeof(bool)] = "bool",
        [typeof(int)] = "int", [typeof(long)] = "long", [typeof(double)] = "double", [typeof(float)] = "float",
        [typeof(byte)] = "byte", [typeof(char)] = "char", [typeof(short)] = "short", [typeof(uint)] = "uint",
        [typeof(ulong)] = "ulong", [typeof(ushort)] = "ushort", [typeof(sbyte)] = "sbyte",
    };

    public static string Header(Type type)
    {
        var name = type.IsNested && !type.DeclaringType!.IsGenericType && IsOfPackages(type)
            ? Generic(type, type.Name)
            : type.Namespace + "." + Nested(type);
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            var invoke = type.GetMethod("Invoke")!;
            return $"delegate {Name(invoke.ReturnType)} {name}({Parameters(invoke)})";
        }
        if (type.IsEnum) return "enum " + name;
        var kind = type switch
        {
            { IsInterface: true } => "interface ",
            { IsValueType: true } => (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "")
                + (type.IsByRefLike ? "ref struct " : "struct "),
            { IsAbstract: true, IsSealed: true } => "static class ",
            { IsAbstract: true } => "abstract class ",
            { IsSealed: true } => "sealed class ",
            _ => "class ",
        };
        var bases = new List<string>();
        if (type is { IsClass: true, BaseType: { } parent } && parent != typeof(object)) bases.Add(Name(parent));
        var inherited = type.BaseType?.GetInterfaces() ?? [];
        bases.AddRange(type.GetInterfaces().Where(each => each.IsPublic || each.IsNestedPublic).Except(inherited).Select(Name)
            .Order(StringComparer.Ordinal));
        return kind + name + (bases.Count > 0 ? " : " + string.Join(", ", bases) : "");
    }

    public static IEnumerable<string> Members(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type)) return [];
        if (type.IsEnum)
            return Enum.GetNames(type).Select(name => $"{name} = {Convert.ToInt64(Enum.Parse(type, name))}");
        return type.GetConstructors(Declared).Where(IsVisible).Where(each => !each.IsStatic)
            .Select(each => Access(each) + $"ctor({Parameters(each)})")
            .Concat(type.GetFields(Declared).Where(each => each.IsPublic || each.IsFamily || each.IsFamilyOrAssembly).Select(Field))
            .Concat(type.GetProperties(Declared).Where(each => each.GetAccessors(true).Any(IsVisible)).Select(Property))
            .Concat(type.GetMethods(Declared).Where(IsVisible).Where(IsListed).Select(Method));
    }

    /// <summary>The name of the member of a line.</summary>
    public static string NameOf(string line) => line.Split('(', '{')[0].Trim().Split(' ')[^1].Split('<')[0];

    /// <summary>Commas within type arguments do not count.</summary>
    public static string[] SplitAtCommas(string text)
    {
        var (parts, depth, start) = (new List<string>(), 0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            depth += text[i] == '<' ? 1 : text[i] == '>' ? -1 : 0;
            if (text[i] != ',' || depth > 0) continue;
            parts.Add(text[start..i]);
            start = i + 2;
        }
        return [.. parts, text[start..]];
    }

    private static bool IsOfPackages(Type type) => type.Namespace!.StartsWith("Akka", StringComparison.Ordinal);

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsListed(MethodInfo method) =>
        (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal))
        && method.Name is not ("ToString" or "GetHashCode")
        && (method.Name != "Equals" || method.DeclaringType!.IsInterface)
        && !method.Name.Contains('<', StringComparison.Ordinal);

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Modifiers(MethodInfo method)
    {
        if (method.DeclaringType!.IsInterface) return "";
        if (method.IsStatic) return Access(method) + "static ";
        if (method.IsAbstract) return Access(method) + (IsOverride(method) ? "abstract override " : "abstract ");
        if (method.IsVirtual && !method.IsFinal) return Access(method) + (IsOverride(method) ? "override " : "virtual ");
        return Access(method);
    }

    private static bool IsOverride(MethodInfo method) => method.GetBaseDefinition() != method;

    private static string Method(MethodInfo method)
    {
        var arguments = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";
        return $"{Modifiers(method)}{Name(method.ReturnType)} {method.Name}{arguments}({Parameters(method)})";
    }

    private static string Field(FieldInfo field)
    {
        var access = field.IsPublic ? "" : "protected ";
        var kind = field.IsLiteral ? "const " : (field.IsStatic ? "static " : "") + (field.IsInitOnly ? "readonly " : "");
        return $"{access}{kind}{Name(field.FieldType)} {field.Name}";
    }

    /// <summary>An overridden property is listed without "override".</summary>
    private static string Property(PropertyInfo property)
    {
        var accessors = new[] { property.GetMethod, property.SetMethod }.Where(each => each is not null && IsVisible(each)).ToList();
        var widest = accessors.Find(each => each.IsPublic) ?? accessors[0];
        var modifiers = Modifiers(widest).Replace("override ", "", StringComparison.Ordinal);
        var text = string.Concat(accessors.Select(each =>
            (Access(each) != Access(widest) ? Access(each) : "") + (each == property.GetMethod ? "get; " : "set; ")));
        return $"{modifiers}{Name(property.PropertyType)} {property.Name} {{ {text}}}";
    }

    private static string Parameters(MethodBase method)
    {
        var self = method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "";
        return self + string.Join(", ", method.GetParameters().Select(Parameter));
    }

    private static string Parameter(ParameterInfo parameter)
    {
        var prefix = parameter switch
        {
            { IsOut: true } => "out ",
            { IsIn: true, ParameterType.IsByRef: true } => "in ",
            { ParameterType.IsByRef: true } => "ref ",
            _ when parameter.IsDefined(typeof(ParamArrayAttribute)) => "params ",
            _ => "",
        };
        var type = parameter.ParameterType.IsByRef ? parameter.ParameterType.GetElementType()! : parameter.ParameterType;
        return $"{prefix}{Name(type)} {parameter.Name}" + (parameter.HasDefaultValue ? " = " + Default(parameter.DefaultValue, type) : "");
    }

    private static string Default(object value, Type type) => value switch
    {
        null => type.IsValueType ? "default" : "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture),
    };

    private static string Name(Type type)
    {
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (Nullable.GetUnderlyingType(type) is { } value) return Name(value) + "?";
        if (type.IsGenericParameter) return type.Name;
        return Keywords.TryGetValue(type, out var keyword) ? keyword : Nested(type);
    }

    private static string Nested(Type type) =>
        (type.IsNested ? Nested(type.DeclaringType!) + "." : "") + Generic(type, type.Name);

    private static string Generic(Type type, string name) => type.IsGenericType && name.Contains('`', StringComparison.Ordinal)
        ? $"{name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
        : name;
}
