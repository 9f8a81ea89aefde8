"""PowerShell's own error records, in its own words."""

from __future__ import annotations

from console.lab.engine import PsError, TerminatingError
from console.lab.world.service import ClusterRefusal

NOT_SPECIFIED, INVALID_ARGUMENT, INVALID_DATA, INVALID_OPERATION, METADATA_ERROR = 0, 5, 6, 7, 10
OBJECT_NOT_FOUND, PARSER_ERROR, PERMISSION_DENIED, RESOURCE_EXISTS = 13, 17, 18, 20

_BINDING = "System.Management.Automation.ParameterBindingException"
_CLUSTER = "Microsoft.FailoverClusters.PowerShell.ClusterCmdletException"
_HYPER_V = "Microsoft.HyperV.PowerShell.VirtualizationException"
_CIM = "Microsoft.Management.Infrastructure.CimException"


def command_class(cmdlet: str) -> str:
    """The implementing type that ends a FullyQualifiedErrorId; the exact names of most are not attested."""
    verb, _, noun = cmdlet.partition("-")
    if noun.startswith("Cluster"):
        return f"Microsoft.FailoverClusters.PowerShell.{verb}{noun}Command"
    if noun.startswith("VM"):
        return f"Microsoft.HyperV.PowerShell.Commands.{verb}{noun}"
    if noun.startswith("Cim"):
        return f"Microsoft.Management.Infrastructure.CimCmdlets.{verb}{noun}Command"
    return f"Microsoft.PowerShell.Commands.{verb}{noun}Command"


def unknown_command(name: str) -> TerminatingError:
    text = (
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program."
        " Check the spelling of the name, or if a path was included, verify that the path is correct and try again."
    )
    return TerminatingError(
        PsError(
            text,
            "CommandNotFoundException",
            OBJECT_NOT_FOUND,
            "System.Management.Automation.CommandNotFoundException",
            reason="CommandNotFoundException",
            target=name,
            target_type="String",
        )
    )


def no_scripts() -> TerminatingError:
    """A script where only commands are allowed, or one that the lab does not know."""
    return TerminatingError(
        PsError(
            "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
            "ScriptsNotAllowed",
            PARSER_ERROR,
            "System.Management.Automation.RuntimeException",
            reason="RuntimeException",
        )
    )


def binding(cmdlet: str, identifier: str, message: str, parameter: str = "") -> TerminatingError:
    return TerminatingError(
        PsError(
            message,
            f"{identifier},{command_class(cmdlet)}",
            INVALID_ARGUMENT,
            _BINDING,
            reason="ParameterBindingException",
            activity=cmdlet,
            target=parameter,
        )
    )


def parameter_not_found(cmdlet: str, parameter: str) -> TerminatingError:
    message = f"A parameter cannot be found that matches parameter name '{parameter}'."
    return binding(cmdlet, "NamedParameterNotFound", message, parameter)


def ambiguous_parameter(cmdlet: str, parameter: str, matches: list[str]) -> TerminatingError:
    possible = " ".join(f"-{name}" for name in matches)
    message = (
        f"Parameter cannot be processed because the parameter name '{parameter}' is ambiguous."
        f" Possible matches include: {possible}."
    )
    return binding(cmdlet, "AmbiguousParameter", message, parameter)


def missing_mandatory(cmdlet: str, parameters: list[str]) -> TerminatingError:
    message = (
        "Cannot process command because of one or more missing mandatory parameters: " + " ".join(parameters) + "."
    )
    return binding(cmdlet, "MissingMandatoryParameter", message)


def ambiguous_set(cmdlet: str) -> TerminatingError:
    message = "Parameter set cannot be resolved using the specified named parameters."
    return binding(cmdlet, "AmbiguousParameterSet", message)


def cannot_convert(
    cmdlet: str, parameter: str, value: object, type_name: str, names: tuple[str, ...] = ()
) -> TerminatingError:
    message = f'Cannot bind parameter \'{parameter}\'. Cannot convert value "{value}" to type "{type_name}".'
    if names:
        message += (
            f' Error: "Unable to match the identifier name {value} to a valid enumerator name. Specify one of the'
            f' following enumerator names and try again: {", ".join(names)}"'
        )
    return binding(cmdlet, "CannotConvertArgumentNoMessage", message, parameter)


def too_many_positional(cmdlet: str, value: object) -> TerminatingError:
    message = f"A positional parameter cannot be found that accepts argument '{value}'."
    return binding(cmdlet, "PositionalParameterNotFound", message)


def input_not_bound(cmdlet: str) -> PsError:
    text = (
        "The input object cannot be bound to any parameters for the command either because the command does not take"
        " pipeline input or the input and its properties do not match any of the parameters that take pipeline input."
    )
    return PsError(text, f"InputObjectNotBound,{command_class(cmdlet)}", INVALID_ARGUMENT, _BINDING, activity=cmdlet)


def cluster(cmdlet: str, refusal: ClusterRefusal) -> PsError:
    """An error of the cluster service; the Win32 code travels as the inner exception's."""
    category = OBJECT_NOT_FOUND if refusal.code in (5007, 5013, 5042) else INVALID_OPERATION
    category = RESOURCE_EXISTS if refusal.code == 5010 else category
    return PsError(
        refusal.message,
        f"{cmdlet},{command_class(cmdlet)}",
        category,
        _CLUSTER,
        reason="ClusterCmdletException",
        activity=cmdlet,
        target=refusal.target,
        target_type="String",
        hresult=0x80070000 | refusal.code,
        native_code=refusal.code,
    )


def no_cluster_rights(cmdlet: str) -> TerminatingError:
    """The account may not do this with the cluster."""
    message = (
        "You do not have administrative privileges on the cluster. Contact your network administrator to request"
        " access. Access is denied"
    )
    return TerminatingError(
        PsError(
            message,
            f"{cmdlet},{command_class(cmdlet)}",
            PERMISSION_DENIED,
            _CLUSTER,
            reason="ClusterCmdletException",
            activity=cmdlet,
            hresult=0x80070005,
            native_code=5,
        )
    )


def vm_not_found(cmdlet: str, name: str, what: str = "name") -> PsError:
    return PsError(
        f'Hyper-V was unable to find a virtual machine with {what} "{name}".',
        f"InvalidParameter,{command_class(cmdlet)}",
        INVALID_ARGUMENT,
        _HYPER_V,
        reason="VirtualizationException",
        activity=cmdlet,
        target=name,
        target_type="String",
    )


def vm_not_off(cmdlet: str, name: str) -> PsError:
    """The words are the lab's own; that it is refused while the VM runs is documented."""
    return PsError(
        f"Failed to modify device 'Processor': not possible while virtual machine '{name}' is not off.",
        f"InvalidState,{command_class(cmdlet)}",
        INVALID_OPERATION,
        _HYPER_V,
        reason="VirtualizationException",
        activity=cmdlet,
        target=name,
        target_type="String",
    )


def cim(cmdlet: str, message: str, hresult: int, target: str, category: int = METADATA_ERROR) -> PsError:
    return PsError(
        message,
        f"HRESULT 0x{hresult:08x},{command_class(cmdlet)}",
        category,
        _CIM,
        reason="CimException",
        activity=cmdlet,
        target=target,
        target_type="String",
        hresult=hresult,
    )


def cim_job(cmdlet: str, message: str, identifier: str, target: str) -> PsError:
    """A cmdlet that is made of a WMI class found no instance."""
    return PsError(
        message,
        f"{identifier},{cmdlet}",
        OBJECT_NOT_FOUND,
        "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
        reason="CimJobException",
        activity=cmdlet,
        target=target,
        target_type="String",
    )


def not_found(cmdlet: str, message: str, identifier: str, target: str) -> PsError:
    return PsError(
        message,
        f"{identifier},{command_class(cmdlet)}",
        OBJECT_NOT_FOUND,
        "System.Exception",
        activity=cmdlet,
        target=target,
        target_type="String",
    )
